#include "target.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace http_server {
namespace {

int digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return {};
            const int high = digit(text[i + 1]);
            const int low = digit(text[i + 2]);
            if (high < 0 || low < 0) return {};
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (c == '\0') return {};
        plain.push_back(c);
    }
    return plain;
}

/// All of `text` as a number. One that is too large is as good as the largest.
std::optional<std::uint64_t> number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || end != text.data() + text.size()) return {};
    return error == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : value;
}

}  // namespace

std::optional<std::string> path_of(std::string_view target) {
    // "http://host/path" means the path, too.
    if (target.starts_with("http://")) {
        const std::size_t slash = target.find('/', 7);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    if (!target.starts_with('/')) return {};
    auto path = decoded(target.substr(0, target.find_first_of("?#")));
    if (!path) return {};
    path->erase(0, path->find_first_not_of('/'));
    if (path->empty() || path->ends_with('/')) path->append("index.html");
    return path;
}

std::string_view media_type_of(std::string_view path) {
    using entry = std::pair<std::string_view, std::string_view>;
    constexpr std::array types = {
        entry(".html", "text/html"),        entry(".css", "text/css"),         entry(".js", "text/javascript"),
        entry(".json", "application/json"), entry(".txt", "text/plain"),       entry(".svg", "image/svg+xml"),
        entry(".png", "image/png"),         entry(".jpg", "image/jpeg"),       entry(".gif", "image/gif"),
        entry(".pdf", "application/pdf"),   entry(".wasm", "application/wasm")};
    const auto* const found =
        std::find_if(types.begin(), types.end(), [&](const entry& each) { return path.ends_with(each.first); });
    return found == types.end() ? "application/octet-stream" : found->second;
}

std::optional<byte_range> range_of(std::string_view header, std::uint64_t size) {
    constexpr std::string_view unit = "bytes=";
    if (!header.starts_with(unit)) return {};
    header.remove_prefix(unit.size());
    const std::size_t dash = header.find('-');
    if (dash == std::string_view::npos) return {};
    const auto first = number(header.substr(0, dash));
    const auto last = number(header.substr(dash + 1));
    byte_range range;
    if (dash == 0) {  // the last so many bytes
        if (!last) return {};
        range.length = std::min(*last, size);
        range.first = size - range.length;
        return range;
    }
    if (!first || (!last && dash + 1 != header.size()) || (last && *last < *first)) return {};
    if (*first >= size) return range;
    range.first = *first;
    range.length = std::min(last.value_or(size - 1), size - 1) - *first + 1;
    return range;
}

}  // namespace http_server
