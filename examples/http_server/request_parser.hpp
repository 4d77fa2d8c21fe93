#pragma once

#include "options.hpp"

#include <http_parser.h>

#include <cstddef>
#include <span>
#include <string>

namespace http_server {

/// What of a request matters here.
struct request {
    bool is_head = false;
    bool keep_alive = false;
    std::string target;  ///< as it was sent
    std::string if_none_match;
    std::string if_range;
    std::string range;
};

/// Takes a connection's requests out of its bytes, one after the other.
///
/// Thread-safe: no. Lifetime: not moved, the parser points back at it.
class request_parser {
public:
    explicit request_parser(const limits& bounds) noexcept;
    request_parser(const request_parser&) = delete;
    request_parser& operator=(const request_parser&) = delete;

    /// Reads on, to the end of a request at most. Returns how many bytes were used.
    [[nodiscard]] std::size_t feed(std::span<const std::byte> bytes);

    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// The status to refuse the request with, or 0.
    [[nodiscard]] int refusal() const noexcept { return refusal_; }
    [[nodiscard]] const request& current() const noexcept { return request_; }

    /// Makes ready for the next request.
    void restart();

private:
    static int on_url(http_parser* parser, const char* text, std::size_t length);
    static int on_field(http_parser* parser, const char* text, std::size_t length);
    static int on_value(http_parser* parser, const char* text, std::size_t length);
    static int on_body(http_parser* parser, const char* text, std::size_t length);
    static int on_head_end(http_parser* parser);
    static int on_end(http_parser* parser);
    static const http_parser_settings& callbacks() noexcept;
    int refuse(int status) noexcept;
    void begin_header();
    void end_header();

    limits bounds_;
    http_parser parser_{};
    request request_;
    std::string field_;  // lower case
    std::string value_;
    bool in_value_ = false;
    std::size_t head_bytes_ = 0;
    std::size_t headers_ = 0;
    std::size_t hosts_ = 0;
    std::size_t body_bytes_ = 0;
    bool head_read_ = false;
    bool complete_ = false;
    int refusal_ = 0;
};

}  // namespace http_server
