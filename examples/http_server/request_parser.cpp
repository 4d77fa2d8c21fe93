#include "request_parser.hpp"

#include <algorithm>

namespace http_server {
namespace {

request_parser& self_of(http_parser* parser) noexcept {
    return *static_cast<request_parser*>(parser->data);
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

request_parser::request_parser(const limits& bounds) noexcept : bounds_(bounds) {
    http_parser_init(&parser_, HTTP_REQUEST);
    parser_.data = this;
}

const http_parser_settings& request_parser::callbacks() noexcept {
    static const http_parser_settings settings = [] {
        http_parser_settings made{};
        made.on_url = &request_parser::on_url;
        made.on_header_field = &request_parser::on_field;
        made.on_header_value = &request_parser::on_value;
        made.on_headers_complete = &request_parser::on_head_end;
        made.on_body = &request_parser::on_body;
        made.on_message_complete = &request_parser::on_end;
        return made;
    }();
    return settings;
}

std::size_t request_parser::feed(std::span<const std::byte> bytes) {
    const bool in_head = !head_read_;
    const std::size_t used =
        http_parser_execute(&parser_, &callbacks(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (in_head) head_bytes_ += used;
    const auto error = HTTP_PARSER_ERRNO(&parser_);
    if (!complete_ && refusal_ == 0 && error != HPE_OK) refusal_ = error == HPE_HEADER_OVERFLOW ? 431 : 400;
    // A body that came with the head is counted with it: the bound is only a little stricter then.
    if (!complete_ && refusal_ == 0 && !head_read_ && head_bytes_ > bounds_.head_bytes) refusal_ = 431;
    // What follows an upgrade is no HTTP: answer, and end the connection.
    if (parser_.upgrade != 0) request_.keep_alive = false;
    return used;
}

void request_parser::restart() {
    http_parser_pause(&parser_, 0);
    request_ = request();
    field_.clear();
    value_.clear();
    in_value_ = head_read_ = complete_ = false;
    head_bytes_ = headers_ = hosts_ = body_bytes_ = 0;
}

int request_parser::refuse(int status) noexcept {
    refusal_ = status;
    return 1;
}

int request_parser::on_url(http_parser* parser, const char* text, std::size_t length) {
    request_parser& self = self_of(parser);
    if (self.request_.target.size() + length > self.bounds_.head_bytes) return self.refuse(414);
    self.request_.target.append(text, length);
    return 0;
}

int request_parser::on_field(http_parser* parser, const char* text, std::size_t length) {
    request_parser& self = self_of(parser);
    if (self.in_value_) self.end_header();
    std::transform(text, text + length, std::back_inserter(self.field_), lower);
    return self.field_.size() > self.bounds_.head_bytes ? self.refuse(431) : 0;
}

int request_parser::on_value(http_parser* parser, const char* text, std::size_t length) {
    request_parser& self = self_of(parser);
    if (!self.in_value_ && ++self.headers_ > self.bounds_.headers) return self.refuse(431);
    self.in_value_ = true;
    self.value_.append(text, length);
    return self.value_.size() > self.bounds_.head_bytes ? self.refuse(431) : 0;
}

void request_parser::end_header() {
    if (field_ == "host") ++hosts_;
    if (field_ == "range") request_.range = value_;
    if (field_ == "if-range") request_.if_range = value_;
    if (field_ == "if-none-match") request_.if_none_match = value_;
    field_.clear();
    value_.clear();
    in_value_ = false;
}

int request_parser::on_head_end(http_parser* parser) {
    request_parser& self = self_of(parser);
    self.end_header();
    self.head_read_ = true;
    self.request_.is_head = parser->method == HTTP_HEAD;
    const bool is_new = parser->http_major == 1 && parser->http_minor >= 1;
    if (parser->http_major != 1) return self.refuse(505);
    // Two hosts, or none: whom a proxy means is not whom we would.
    if (self.hosts_ > 1 || (is_new && self.hosts_ == 0)) return self.refuse(400);
    if (parser->method != HTTP_GET && parser->method != HTTP_HEAD) return self.refuse(405);
    return 0;
}

int request_parser::on_body(http_parser* parser, const char*, std::size_t length) {
    request_parser& self = self_of(parser);
    self.body_bytes_ += length;
    return self.body_bytes_ > self.bounds_.body_bytes ? self.refuse(413) : 0;
}

int request_parser::on_end(http_parser* parser) {
    request_parser& self = self_of(parser);
    self.complete_ = true;
    self.request_.keep_alive = http_should_keep_alive(parser) != 0;
    // The next request is left where it is.
    http_parser_pause(parser, 1);
    return 0;
}

}  // namespace http_server
