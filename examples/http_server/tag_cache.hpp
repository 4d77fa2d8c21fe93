#pragma once

#include <exec/exec.hpp>

#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace http_server {

/// The entity tags of files: hashes of their contents, computed on the CPU pool and kept as long as the file is the
/// same. Of a file above 1 MiB it is made of size and time instead: nobody should wait for a hash of gigabytes.
///
/// Thread-safe: yes.
class tag_cache {
public:
    explicit tag_cache(coex::static_thread_pool& cpu) noexcept : cpu_(cpu) {}

    [[nodiscard]] coex::task<std::string> tag_of(coex::file& opened, coex::file_info info);

private:
    // Device, inode, time of change in nanoseconds, size.
    using identity = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::uint64_t>;

    coex::static_thread_pool& cpu_;
    std::mutex mutex_;
    std::map<identity, std::string> tags_;  // OWNER: mutex_
};

}  // namespace http_server
