#pragma once

#include "options.hpp"

#include <exec/exec.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace copy_tree {

namespace fs = std::filesystem;

/// A copied directory, whose mode and times are set when nothing more is put into it.
struct made_directory {
    fs::path path;
    coex::file_info like;
};

/// What all that is copied shares.
///
/// Thread-safe: `report` and the counters. The rest is the walk's until it and the copies have ended.
struct job {
    job(const options& what, coex::static_thread_pool& reads, coex::static_thread_pool& writes)
        : wanted(what), source(reads), target(writes), permits(what.jobs) {}

    /// Tells on standard error what was not copied, and how to cure it.
    void report(const fs::path& which, const std::string& problem, int error = 0);

    const options& wanted;
    coex::static_thread_pool& source;  ///< of the device that is read
    coex::static_thread_pool& target;  ///< of the device that is written
    coex::semaphore permits;           ///< for files in progress
    std::atomic<std::uint64_t> files{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> problems{0};

    std::vector<made_directory> directories;                                  ///< parents first
    std::map<std::pair<std::uint64_t, std::uint64_t>, fs::path> first_names;  ///< of files with several, by inode
    std::vector<std::pair<fs::path, fs::path>> further_names;                 ///< the first, and another

private:
    std::mutex output_;
};

/// A permit of the job's, given back in the end.
class permit {
public:
    explicit permit(job& of) noexcept : job_(&of) {}
    permit(permit&& other) noexcept : job_(std::exchange(other.job_, nullptr)) {}
    permit& operator=(permit&&) = delete;
    ~permit() {
        if (job_ != nullptr) job_->permits.release();
    }

private:
    job* job_;
};

}  // namespace copy_tree
