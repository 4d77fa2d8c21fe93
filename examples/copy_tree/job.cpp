#include "job.hpp"

#include <cerrno>
#include <cstdio>

namespace copy_tree {
namespace {

const char* cure_of(int error) {
    switch (error) {
        case EEXIST:
            return "; give --force to replace it";
        case ENOSPC:
        case EDQUOT:
            return "; make room there and copy again";
        case EACCES:
        case EPERM:
            return "; run as a user who may";
        case EMFILE:
        case ENFILE:
            return "; give fewer --jobs, or raise ulimit -n";
        case EROFS:
            return "; mount the target for writing";
        default:
            return "";
    }
}

}  // namespace

void job::report(const fs::path& which, const std::string& problem, int error) {
    problems.fetch_add(1);
    const std::lock_guard lock(output_);
    std::fprintf(stderr, "%scopy_tree: '%s' is not copied: %s%s\n", wanted.progress ? "\r\33[K" : "", which.c_str(),
                 problem.c_str(), cure_of(error));
}

}  // namespace copy_tree
