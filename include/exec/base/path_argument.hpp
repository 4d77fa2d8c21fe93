#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace coex::inline v0 {

/// A path as an argument: anything that a std::filesystem::path can be made of without a change of its characters (a
/// std::string, a std::string_view, a literal), a std::filesystem::path, or a directory_entry. <filesystem> is dear to
/// include; who has a path has included it.
///
/// Errors:   std::bad_alloc.
/// Lifetime: it has a copy of the text.
class path_argument {
public:
    template <class Text>
        requires std::convertible_to<const Text&, std::string_view>
    path_argument(const Text& text) : text_(std::string_view(text)) {}
    template <class Path>
        requires requires(const Path& path) {
            { path.native() } -> std::convertible_to<const std::string&>;
        }
    path_argument(const Path& path) : text_(path.native()) {}
    template <class Entry>
        requires requires(const Entry& entry) {
            { entry.path().native() } -> std::convertible_to<const std::string&>;
        }
    path_argument(const Entry& entry) : text_(entry.path().native()) {}

    [[nodiscard]] const std::string& text() const& noexcept { return text_; }
    [[nodiscard]] std::string text() && noexcept { return std::move(text_); }

private:
    std::string text_;
};

}  // namespace coex::inline v0
