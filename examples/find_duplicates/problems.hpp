#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

namespace find_duplicates {

/// Something that could not be read and is therefore missing from the result.
struct problem {
    std::string path;
    std::string reason;  // "cannot open: Permission denied"
};

/// Collects problems, so that each is told once, in an order that doesn't depend on who came first.
///
/// Thread-safe: add(); the others only when nobody adds any more.
class problem_log {
public:
    void add(std::string path, std::string reason);
    void add(std::string path, const char* what_failed, const std::error_code& error);

    /// Returns all problems, sorted by path.
    [[nodiscard]] const std::vector<problem>& sorted();

private:
    std::mutex mutex_;
    std::vector<problem> problems_;  // OWNER: mutex_ while the search runs
};

}  // namespace find_duplicates
