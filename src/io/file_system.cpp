#include <exec/io/file_system.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace coex::inline v0 {

int located_path::directory_descriptor() const noexcept {
    return below_ == nullptr ? AT_FDCWD : below_->native_handle();
}

std::string located_path::to_string() const {
    return below_ == nullptr ? path_ : below_->path() + "/" + path_;
}

namespace detail {

bool name_change::has_two_paths() const noexcept {
    return kind_ == kind::rename || kind_ == kind::rename_new || kind_ == kind::link || kind_ == kind::symlink;
}

int name_change::call() const noexcept {
    const int at = first_.directory_descriptor();
    const char* const path = first_.c_str();
    const int other_at = second_.directory_descriptor();
    const char* const other = second_.c_str();
    switch (kind_) {
        case kind::rename:
            return ::renameat(at, path, other_at, other);
        case kind::rename_new:
            return ::renameat2(at, path, other_at, other, RENAME_NOREPLACE);
        case kind::remove_file:
            return ::unlinkat(at, path, 0);
        case kind::remove_directory:
            return ::unlinkat(at, path, AT_REMOVEDIR);
        case kind::make_directory:
            return ::mkdirat(at, path, permissions_);
        case kind::link:
            return ::linkat(at, path, other_at, other, 0);
        default:
            return ::symlinkat(path, other_at, other);
    }
}

result<void> name_change::operator()() const {
    constexpr std::array names = {"rename_path",    "rename_path", "remove_file", "remove_directory",
                                  "make_directory", "make_link",   "make_symlink"};
    if (call() == 0) return {};
    const int error = errno;
    return io_failure(-error, names[static_cast<std::size_t>(kind_)], first_.to_string(),
                      has_two_paths() ? " to '" + second_.to_string() + "'" : std::string());
}

}  // namespace detail
}  // namespace coex::inline v0
