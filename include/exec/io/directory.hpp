#pragma once

#include <exec/base/owned.hpp>
#include <exec/base/path_argument.hpp>
#include <exec/io/file.hpp>
#include <exec/io/operation.hpp>
#include <exec/vocab/result.hpp>

#include <cstdint>
#include <string>
#include <utility>

struct open_how;

namespace coex::inline v0 {

class directory;

/// Which ways a path may take below a directory. Combine with `|`.
enum class path_rules : unsigned {
    none = 0,
    no_mount_points = 1,  ///< stay in the file system
    no_magic_links = 2,   ///< no links like those of /proc/self/fd
    no_links = 4,         ///< no symbolic links at all
    beneath = 8,          ///< no way out: not by "..", an absolute path, or a link that leads out
    in_root = 16          ///< as if the directory were the root: "/" and ".." end there
};

[[nodiscard]] constexpr path_rules operator|(path_rules a, path_rules b) noexcept {
    return static_cast<path_rules>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

namespace detail {

class open_below_request {
public:
    open_below_request(const directory& below, std::string path, open_mode mode, path_rules rules,
                       unsigned permissions);
    open_below_request(open_below_request&&) noexcept;
    ~open_below_request();
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<file> result(int answer);

private:
    const directory* directory_;
    std::string path_;
    open_mode mode_;
    owned<struct ::open_how> how_;
};

class open_directory_request : open_request {
public:
    open_directory_request(static_thread_pool& pool, std::string path) noexcept
        : open_request(pool, std::move(path), open_mode::read | open_mode::directory, 0) {}
    using open_request::prepare;
    [[nodiscard]] coex::result<directory> result(int answer);
};

}  // namespace detail

/// An open directory: paths below it are found through it, wherever it is moved meanwhile.
///
/// Thread-safe: all but moving.
/// Lifetime:    the directory must outlive the operations that go through it, and its pool them.
class directory {
public:
    explicit directory(file opened) noexcept : file_(std::move(opened)) {}

    /// Opens `path`, which is relative to this directory (openat, and openat2 where there are rules).
    ///
    /// Completes: with the open file, bound to the directory's pool; its descriptor is closed on exec.
    /// Errors:    std::system_error "open_file 'DIRECTORY/PATH': REASON"; with path_rules::beneath
    ///            cross_device_link (EXDEV) for a path that leads out, with no_links too_many_symbolic_link_levels.
    /// Cancel:    nothing is open then; a file may have been created.
    [[nodiscard]] auto open_file(path_argument path, open_mode mode, path_rules rules = path_rules::none,
                                 unsigned permissions = 0666) const {
        return detail::io_sender(file_.pool(),
                                 detail::open_below_request(*this, std::move(path).text(), mode, rules, permissions));
    }

    /// The directory's descriptor. Still owned by it.
    [[nodiscard]] int native_handle() const noexcept { return file_.native_handle(); }
    [[nodiscard]] const std::string& path() const noexcept { return file_.path(); }
    [[nodiscard]] static_thread_pool& pool() const noexcept { return file_.pool(); }

private:
    file file_;
};

/// Opens the directory `path`.
///
/// Errors: std::system_error "open_directory 'PATH': REASON".
/// Cancel: nothing is open then.
[[nodiscard]] inline auto open_directory(static_thread_pool& pool, path_argument path) {
    return detail::io_sender(pool, detail::open_directory_request(pool, std::move(path).text()));
}

}  // namespace coex::inline v0
