#include "session.hpp"

#include "reply.hpp"
#include "request_parser.hpp"

#include <chrono>
#include <span>
#include <system_error>
#include <vector>

namespace http_server {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t input_bytes = 4096;

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

/// Reads until a request is complete or refused. Returns false when there is none any more.
coex::task<bool> next_request(site& where, coex::tcp_stream& client, input& from, request_parser& parser) {
    bool begun = !from.rest().empty();
    auto deadline = clock::now() + where.bounds.head_time;
    for (;;) {
        if (!from.rest().empty()) from.use(parser.feed(from.rest()));
        if (parser.complete() || parser.refusal() != 0) co_return true;
        std::size_t count = 0;
        if (!begun) {
            // Between requests a server that is to end hangs up: the task is stopped here, and unwinds.
            auto waiting = coex::stop_when(client.read_some(from.room()), where.draining.when_set());
            count = co_await coex::timeout(std::move(waiting), where.bounds.idle_time);
            deadline = clock::now() + where.bounds.head_time;
            begun = true;
        } else {
            const auto left = std::max(deadline - clock::now(), clock::duration(milliseconds(1)));
            count = co_await coex::timeout(client.read_some(from.room()), left);
            // A byte now and then does not win more time.
            if (count != 0 && clock::now() >= deadline) throw std::system_error(make_error_code(std::errc::timed_out));
        }
        if (count == 0) co_return false;
        from.filled(count);
    }
}

coex::task<void> serve(site& where, coex::tcp_stream& client) {
    input from;
    request_parser parser(where.bounds);
    while (co_await next_request(where, client, from, parser)) {
        if (parser.refusal() != 0) {
            std::string headers = parser.refusal() == 405 ? "Allow: GET, HEAD\r\n" : "";
            co_await reply_status(where, client, parser.refusal(), false, false, std::move(headers));
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
