#pragma once

#include <exec/base/path_argument.hpp>
#include <exec/io/blocking.hpp>
#include <exec/io/directory.hpp>
#include <exec/vocab/result.hpp>

#include <concepts>
#include <string>
#include <utility>

namespace coex::inline v0 {

/// A path from the current directory, or below an open one: `dir / "name"`.
///
/// Lifetime: the directory must outlive the operation.
class located_path {
public:
    template <class Path>
        requires std::convertible_to<const Path&, path_argument>
    located_path(const Path& path) : path_(path_argument(path).text()) {}
    located_path(const directory& below, path_argument path) : below_(&below), path_(std::move(path).text()) {}

    /// What the *at system calls take: the directory's descriptor or AT_FDCWD.
    [[nodiscard]] int directory_descriptor() const noexcept;
    [[nodiscard]] const char* c_str() const noexcept { return path_.c_str(); }
    /// As error messages name it.
    [[nodiscard]] std::string to_string() const;

private:
    const directory* below_ = nullptr;
    std::string path_;
};

[[nodiscard]] inline located_path operator/(const directory& below, path_argument path) {
    return {below, std::move(path)};
}

/// Whether renaming may replace what has the new name.
enum class replace_existing : unsigned char { no, yes };

namespace detail {

/// A change of names in a file system, as a function for `blocking()`: changes of names are made by threads in any
/// case, the kernel's or ours.
class name_change {
public:
    enum class kind : unsigned char {
        rename,
        rename_new,
        remove_file,
        remove_directory,
        make_directory,
        link,
        symlink
    };

    name_change(kind what, located_path first) : kind_(what), first_(std::move(first)), second_("") {}
    name_change(kind what, located_path first, located_path second)
        : kind_(what), first_(std::move(first)), second_(std::move(second)) {}
    name_change(located_path first, unsigned permissions)
        : kind_(kind::make_directory), permissions_(permissions), first_(std::move(first)), second_("") {}
    static constexpr bool fails_by_result = true;
    [[nodiscard]] result<void> operator()() const;

private:
    [[nodiscard]] int call() const noexcept;
    [[nodiscard]] bool has_two_paths() const noexcept;

    kind kind_;
    unsigned permissions_ = 0;
    located_path first_;
    located_path second_;
};

}  // namespace detail

// All of these:
//   Errors:  std::system_error "OPERATION 'PATH'[ to 'PATH']: REASON".
//   Cancel:  as `blocking()`: a call that has not begun never is made, one that has begun is made to its end.
//   Resume:  where the task was.

/// Gives what is called `from` the name `to`, in one step: nobody sees neither or both.
[[nodiscard]] inline auto rename_path(located_path from, located_path to,
                                      replace_existing replace = replace_existing::yes) {
    using kind = detail::name_change::kind;
    return blocking(detail::name_change(replace == replace_existing::yes ? kind::rename : kind::rename_new,
                                        std::move(from), std::move(to)));
}

/// Removes a name of a file, or a symbolic link; the file goes with its last name and user. Not for directories.
[[nodiscard]] inline auto remove_file(located_path path) {
    return blocking(detail::name_change(detail::name_change::kind::remove_file, std::move(path)));
}

/// Removes an empty directory.
[[nodiscard]] inline auto remove_directory(located_path path) {
    return blocking(detail::name_change(detail::name_change::kind::remove_directory, std::move(path)));
}

/// Makes a directory; the process's umask applies.
[[nodiscard]] inline auto make_directory(located_path path, unsigned permissions = 0777) {
    return blocking(detail::name_change(std::move(path), permissions));
}

/// Gives the file `existing` the further name `path`.
[[nodiscard]] inline auto make_link(located_path existing, located_path path) {
    return blocking(detail::name_change(detail::name_change::kind::link, std::move(existing), std::move(path)));
}

/// Makes `path` a symbolic link to `target`, which is stored as it is and need not exist.
[[nodiscard]] inline auto make_symlink(path_argument target, located_path path) {
    return blocking(detail::name_change(detail::name_change::kind::symlink, located_path(std::move(target).text()),
                                        std::move(path)));
}

}  // namespace coex::inline v0
