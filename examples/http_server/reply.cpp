#include "reply.hpp"

#include "date.hpp"
#include "target.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

namespace http_server {
namespace {

constexpr std::size_t block_bytes = std::size_t{64} << 10;

std::string_view reason_of(int status) noexcept {
    switch (status) {
        case 200:
            return "OK";
        case 206:
            return "Partial Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 416:
            return "Range Not Satisfiable";
        case 431:
            return "Request Header Fields Too Large";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Internal Server Error";
    }
}

std::string head_of(int status, bool keep_alive, const std::string& headers) {
    std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
    head.append(reason_of(status)).append("\r\nServer: coex\r\nDate: ").append(date_now()).append("\r\n");
    head.append(headers);
    head.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    return head;
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

int status_of(const std::error_code& why) noexcept {
    if (why == std::errc::permission_denied) return 403;
    if (why == std::errc::too_many_files_open || why == std::errc::too_many_files_open_in_system) return 500;
    return 404;  // also for a way out of the root: what lies there is nobody's business
}

/// A file to be sent; or the status that says why not.
struct found_file {
    explicit found_file(int refusal) : status(refusal) {}
    explicit found_file(coex::file file) : opened(std::move(file)) {}
    int status = 200;
    std::optional<coex::file> opened;
    coex::file_info info;
};

coex::task<found_file> find(site& where, std::string path) {
    constexpr auto rules = coex::path_rules::beneath | coex::path_rules::no_magic_links;
    int refusal = 404;
    try {
        found_file found(
            co_await where.root.open_file(path, coex::open_mode::read | coex::open_mode::non_blocking, rules));
        found.info = co_await found.opened->statx();
        if (found.info.type == coex::file_type::regular) {
            // Only opening a named pipe must not wait; a read of the device may.
            ::fcntl(found.opened->native_handle(), F_SETFL, 0);
            co_return found;
        }
    } catch (const std::system_error& error) {
        refusal = status_of(error.code());
    }
    co_return found_file(refusal);
}

/// Sends the head and the range of the file after it. Returns false when the file has become shorter: then the client
/// can only learn it from the end of the connection.
coex::task<bool> send_file(site& where, coex::tcp_stream& client, std::string head, coex::file& from, byte_range what) {
    std::vector<std::byte> block(std::min<std::uint64_t>(block_bytes, what.length));
    std::uint64_t sent = 0;
    std::size_t head_sent = 0;
    while (head_sent < head.size() || sent < what.length) {
        const std::size_t wanted = std::min<std::uint64_t>(block.size(), what.length - sent);
        std::size_t count = 0;
        if (wanted != 0) count = co_await from.read_at(what.first + sent, std::span(block).first(wanted));
        if (wanted != 0 && count == 0) co_return false;
        std::span<const std::byte> body(block.data(), count);
        if (head_sent < head.size()) {
            const std::array parts = {bytes_of(head), body};
            const std::size_t took = co_await coex::timeout(client.write_blocks(parts), where.bounds.send_time);
            head_sent = std::min(took, head.size());
            if (head_sent < head.size()) {
                co_await coex::timeout(client.write_all(bytes_of(head).subspan(head_sent)), where.bounds.send_time);
                head_sent = head.size();
            } else {
                body = body.subspan(took - head_sent);
            }
        }
        if (!body.empty()) co_await coex::timeout(client.write_all(body), where.bounds.send_time);
        sent += count;
    }
    co_return true;
}

/// True for "*" and for a list that has the tag. Weak tags are those of others: ours are strong.
bool names_tag(std::string_view list, std::string_view tag) noexcept {
    return list == "*" || list.find(tag) != std::string_view::npos;
}

}  // namespace

coex::task<void> reply_status(site& where, coex::tcp_stream& client, int status, bool keep_alive, bool is_head,
                              std::string headers) {
    std::string text;
    if (status != 304) {
        text.append(std::to_string(status)).append(" ").append(reason_of(status)).append("\n");
        headers.append("Content-Type: text/plain\r\nContent-Length: " + std::to_string(text.size()) + "\r\n");
    }
    std::string answer = head_of(status, keep_alive, headers);
    if (!is_head) answer.append(text);
    co_await coex::timeout(client.write_all(bytes_of(answer)), where.bounds.send_time);
}

coex::task<void> reply(site& where, coex::tcp_stream& client, const request& asked) {
    const auto path = path_of(asked.target);
    if (!path) {
        co_await reply_status(where, client, 400, asked.keep_alive, asked.is_head, {});
        co_return;
    }
    found_file found = co_await find(where, *path);
    if (found.status != 200) {
        co_await reply_status(where, client, found.status, asked.keep_alive, asked.is_head, {});
        co_return;
    }
    const std::string tag = co_await where.tags.tag_of(*found.opened, found.info);
    std::string headers = "ETag: " + tag + "\r\nAccept-Ranges: bytes\r\n";
    if (!asked.if_none_match.empty() && names_tag(asked.if_none_match, tag)) {
        co_await reply_status(where, client, 304, asked.keep_alive, asked.is_head, headers);
        co_return;
    }
    const std::uint64_t size = found.info.size;
    const bool may_be_part = !asked.is_head && (asked.if_range.empty() || asked.if_range == tag);
    const auto part = may_be_part ? range_of(asked.range, size) : std::nullopt;
    if (part && part->length == 0) {
        headers.append("Content-Range: bytes */" + std::to_string(size) + "\r\n");
        co_await reply_status(where, client, 416, asked.keep_alive, asked.is_head, headers);
        co_return;
    }
    const byte_range what = part.value_or(byte_range{0, size});
    if (part) {
        headers.append("Content-Range: bytes " + std::to_string(what.first) + "-" +
                       std::to_string(what.first + what.length - 1) + "/" + std::to_string(size) + "\r\n");
    }
    headers.append("Content-Type: ").append(media_type_of(*path));
    headers.append("\r\nContent-Length: " + std::to_string(what.length) + "\r\n");
    std::string head = head_of(part ? 206 : 200, asked.keep_alive, headers);
    const byte_range body = asked.is_head ? byte_range() : what;
    if (!co_await send_file(where, client, std::move(head), *found.opened, body)) client.shutdown();
}

}  // namespace http_server
