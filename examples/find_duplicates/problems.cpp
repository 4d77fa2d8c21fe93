#include "problems.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace find_duplicates {

void problem_log::add(std::string path, std::string reason) {
    const std::lock_guard lock(mutex_);
    problems_.push_back({std::move(path), std::move(reason)});
}

void problem_log::add(std::string path, const char* what_failed, const std::error_code& error) {
    std::string reason = what_failed;
    reason += ": ";
    reason += error.message();
    if (error == std::errc::no_such_file_or_directory) reason += " (it vanished during the search)";
    add(std::move(path), std::move(reason));
}

const std::vector<problem>& problem_log::sorted() {
    const std::lock_guard lock(mutex_);
    std::sort(problems_.begin(), problems_.end(), [](const problem& a, const problem& b) {
        return std::tie(a.path, a.reason) < std::tie(b.path, b.reason);
    });
    return problems_;
}

}  // namespace find_duplicates
