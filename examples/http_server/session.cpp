#include "session.hpp"

#include "reply.hpp"
#include "request_parser.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace http_server {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t input_bytes = 4096;
constexpr int request_timeout = 408;

struct slot {
    explicit slot(coex::semaphore& from) noexcept : slots(from) {}
    slot(const slot&) = delete;
    slot& operator=(const slot&) = delete;
    ~slot() { slots.release(); }
    coex::semaphore& slots;
};

/// The bytes that came and were not yet parsed.
class input {
public:
    [[nodiscard]] std::span<const std::byte> rest() const { return std::span(block_).subspan(begin_, end_ - begin_); }
    void use(std::size_t count) { begin_ += count; }
    [[nodiscard]] std::span<std::byte> room() { return block_; }
    void filled(std::size_t count) {
        begin_ = 0;
        end_ = count;
    }

private:
    std::vector<std::byte> block_ = std::vector<std::byte>(input_bytes);
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// Reads until `deadline`: the number of bytes, 0 at the end, or nothing when the time is over.
coex::task<std::optional<std::size_t>> read_until(clock::time_point deadline, coex::tcp_stream& client, input& from) {
    // A byte now and then does not win more time.
    if (clock::now() >= deadline) co_return std::nullopt;
    try {
        co_return co_await coex::timeout(client.read_some(from.room()), deadline - clock::now());
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::timed_out) throw;
    }
    co_return std::nullopt;
}

enum class arrival : unsigned char { complete, refused, too_slow, ended };

/// Reads until a request is complete or refused, or none comes any more.
coex::task<arrival> next_request(site& where, coex::tcp_stream& client, input& from, request_parser& parser) {
    bool begun = !from.rest().empty();
    auto deadline = clock::now() + where.bounds.head_time;
    for (;;) {
        if (!from.rest().empty()) from.use(parser.feed(from.rest()));
        if (parser.refusal() != 0) co_return arrival::refused;
        if (parser.complete()) co_return arrival::complete;
        std::size_t count = 0;
        if (begun) {
            const auto more = co_await read_until(deadline, client, from);
            if (!more) co_return arrival::too_slow;
            count = *more;
        } else {
            // Between requests a server that is to end hangs up: the task is stopped here, and unwinds.
            auto waiting = coex::stop_when(client.read_some(from.room()), where.draining.when_set());
            count = co_await coex::timeout(std::move(waiting), where.bounds.idle_time);
            deadline = clock::now() + where.bounds.head_time;
            begun = true;
        }
        if (count == 0) co_return arrival::ended;
        from.filled(count);
    }
}

/// Refuses what the client sends, and waits a little until it has stopped: if bytes were left unread, the kernel would
/// end the connection with a reset, at which the client may lose the answer.
coex::task<void> refuse(site& where, coex::tcp_stream& client, input& from, int status) {
    std::string headers = status == 405 ? "Allow: GET, HEAD\r\n" : "";
    co_await reply_status(where, client, status, false, false, std::move(headers));
    client.shutdown();
    const auto deadline = clock::now() + where.bounds.parting_time;
    for (std::size_t dropped = 0; dropped < where.bounds.body_bytes;) {
        const auto more = co_await read_until(deadline, client, from);
        if (!more || *more == 0) co_return;
        dropped += *more;
    }
}

coex::task<void> serve(site& where, coex::tcp_stream& client) {
    input from;
    request_parser parser(where.bounds);
    for (;;) {
        const arrival what = co_await next_request(where, client, from, parser);
        if (what == arrival::ended) co_return;
        if (what != arrival::complete) {
            const int status = what == arrival::too_slow ? request_timeout : parser.refusal();
            co_await refuse(where, client, from, status);
            co_return;
        }
        request asked = parser.current();
        if (where.draining.is_set()) asked.keep_alive = false;
        co_await reply(where, client, asked);
        if (!asked.keep_alive) co_return;
        parser.restart();
    }
}

}  // namespace

coex::task<void> session(site& where, coex::tcp_stream client) {
    const slot mine(where.slots);
    try {
        co_await serve(where, client);
    } catch (const std::system_error&) {
        // The client is gone, or too slow: it knows. The connection ends in any case.
    }
}

}  // namespace http_server
