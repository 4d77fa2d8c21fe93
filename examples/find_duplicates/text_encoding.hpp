#pragma once

#include <string>
#include <string_view>

namespace find_duplicates {

/// Length of the valid UTF-8 sequence at the start of `text`; 0 when the bytes there are none.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view text) noexcept;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Returns `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_utf8(std::string_view text);

[[nodiscard]] std::string to_base64(std::string_view bytes);

/// Returns a path as it stands in reports: itself, or, when that could be misread (control characters, bytes that are
/// not UTF-8, the look of such a quotation, nothing at all), in the shell's form `$'...'`.
[[nodiscard]] std::string quote_if_needed(std::string_view path);

/// Returns a path for a message: always quoted, `'...'` or `$'...'`.
[[nodiscard]] std::string quote(std::string_view path);

/// "999 B", "1.2 KiB", "3.4 GiB".
[[nodiscard]] std::string human_bytes(unsigned long long bytes);

}  // namespace find_duplicates
