#include "text_encoding.hpp"

#include <array>
#include <cstdio>

namespace find_duplicates {
namespace {

bool is_control(unsigned char c) noexcept {
    return c < 0x20 || c == 0x7f;
}

/// U+0080 to U+009F, which terminals obey as commands.
bool is_c1_control(std::string_view sequence) noexcept {
    return sequence.size() == 2 && static_cast<unsigned char>(sequence[0]) == 0xc2 &&
           static_cast<unsigned char>(sequence[1]) < 0xa0;
}

bool needs_quotation(std::string_view path) noexcept {
    if (path.empty() || path.starts_with("$'")) return true;
    while (!path.empty()) {
        const std::size_t length = utf8_sequence_length(path);
        if (length == 0 || is_control(static_cast<unsigned char>(path[0]))) return true;
        if (is_c1_control(path.substr(0, length))) return true;
        path.remove_prefix(length);
    }
    return false;
}

void append_escaped(std::string& out, unsigned char c) {
    switch (c) {
        case '\n':
            out += "\\n";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\'':
            out += "\\'";
            return;
        case '\\':
            out += "\\\\";
            return;
        default:
            break;
    }
    // Octal, as it has a fixed length: a following digit cannot become part of it.
    std::array<char, 5> octal{};
    std::snprintf(octal.data(), octal.size(), "\\%03o", static_cast<unsigned>(c));
    out += octal.data();
}

std::string dollar_quote(std::string_view path) {
    std::string out = "$'";
    while (!path.empty()) {
        const std::size_t length = utf8_sequence_length(path);
        const auto first = static_cast<unsigned char>(path[0]);
        if (length == 0 || is_control(first) || first == '\'' || first == '\\') {
            append_escaped(out, first);
            path.remove_prefix(1);
            continue;
        }
        if (is_c1_control(path.substr(0, length))) {
            for (const char c : path.substr(0, length)) append_escaped(out, static_cast<unsigned char>(c));
        } else {
            out += path.substr(0, length);
        }
        path.remove_prefix(length);
    }
    out += '\'';
    return out;
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
    if (text.empty()) return 0;
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        if (!continues(1) || !continues(2)) return 0;
        const bool overlong = first == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = first == 0xed && byte(1) > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        if (!continues(1) || !continues(2) || !continues(3)) return 0;
        const bool overlong = first == 0xf0 && byte(1) < 0x90;
        const bool too_large = first == 0xf4 && byte(1) > 0x8f;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string to_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) {
            out += "\xef\xbf\xbd";
            text.remove_prefix(1);
        } else {
            out += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    return out;
}

std::string to_base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::string_view part = bytes.substr(i, 3);
        unsigned bits = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            bits = bits << 8 | (k < part.size() ? static_cast<unsigned char>(part[k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += k <= part.size() ? digits[bits >> (18 - 6 * k) & 63] : '=';
        }
    }
    return out;
}

std::string quote_if_needed(std::string_view path) {
    return needs_quotation(path) ? dollar_quote(path) : std::string(path);
}

std::string quote(std::string_view path) {
    if (needs_quotation(path) || path.find('\'') != std::string_view::npos) return dollar_quote(path);
    std::string out = "'";
    out += path;
    out += '\'';
    return out;
}

std::string human_bytes(unsigned long long bytes) {
    constexpr std::array<const char*, 7> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024.0 && unit + 1 < units.size()) {
        value /= 1024.0;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text.data();
}

}  // namespace find_duplicates
