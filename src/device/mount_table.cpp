#include "device/mount_table.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

namespace coex::inline v0::detail {
namespace {

bool is_octal(char c) noexcept {
    return c >= '0' && c <= '7';
}

// The kernel writes blanks, line ends and backslashes of names as \ooo.
std::string unescape(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
                            is_octal(text[i + 3]);
        if (escape) {
            plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

}  // namespace

bool parse_device_number(std::string_view text, std::uint64_t& number) noexcept {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    const char* const end = text.data() + text.size();
    unsigned high = 0;
    unsigned low = 0;
    const auto major_part = std::from_chars(text.data(), end, high);
    if (major_part.ec != std::errc() || major_part.ptr == end || *major_part.ptr != ':') return false;
    const auto minor_part = std::from_chars(major_part.ptr + 1, end, low);
    if (minor_part.ec != std::errc() || minor_part.ptr != end) return false;
    number = makedev(high, low);
    return true;
}

std::string show_device_number(std::uint64_t number) {
    return std::to_string(major(number)) + ":" + std::to_string(minor(number));
}

// ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS
std::vector<mount_entry> read_mount_table(const std::filesystem::path& root) {
    std::vector<mount_entry> entries;
    std::ifstream table(root / "proc/self/mountinfo");
    for (std::string line; std::getline(table, line);) {
        std::istringstream in(line);
        const std::vector<std::string> parts{std::istream_iterator<std::string>(in), {}};
        const auto dash = std::find(parts.begin(), parts.end(), "-");
        mount_entry entry;
        if (parts.size() < 6 || parts.end() - dash < 3 || !parse_device_number(parts[2], entry.device)) continue;
        std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), entry.id);
        entry.mounted_root = unescape(parts[3]);
        entry.mount_point = unescape(parts[4]);
        entry.type = dash[1];
        entry.source = unescape(dash[2]);
        if (parts.end() - dash > 3) entry.super_options = dash[3];
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::string option_value(std::string_view options, std::string_view key) {
    while (!options.empty()) {
        const auto comma = options.find(',');
        const std::string_view option = options.substr(0, comma);
        if (option.size() > key.size() && option.substr(0, key.size()) == key && option[key.size()] == '=') {
            return unescape(option.substr(key.size() + 1));
        }
        options = comma == std::string_view::npos ? std::string_view() : options.substr(comma + 1);
    }
    return {};
}

}  // namespace coex::inline v0::detail
