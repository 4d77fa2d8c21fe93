// How long requests wait that come to a pool of two workers while one of them computes. Not a benchmark of time: it
// prints one line for each case, the latencies of a client that asks at its own pace, counted from the intended time.
// The worker that computes has a processor for itself; the other shares one with the client.
#include "baseline/echo_sockets.hpp"
#include "plain_main.hpp"

#include <exec/exec.hpp>

#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <deque>
#include <random>
#include <thread>
#include <vector>

namespace {

using namespace coex_bench;
using namespace std::chrono_literals;
using wall_clock = std::chrono::steady_clock;
using microseconds = std::chrono::duration<double, std::micro>;

constexpr int connections = 64;
constexpr auto measured = 2s;

/// Asks over many connections, at times that are drawn at random and do not depend on the answers.
class open_client {
public:
    explicit open_client(std::uint16_t port) {
        for (const int each : connect_all(port, connections)) polled_.push_back({each, POLLIN, 0});
        asked_.resize(polled_.size());
        received_.resize(polled_.size());
    }
    open_client(const open_client&) = delete;
    open_client& operator=(const open_client&) = delete;
    ~open_client() {
        for (const pollfd& each : polled_) close(each.fd);
    }

    /// Returns the latencies, sorted.
    std::vector<double> ask(double per_second) {
        std::exponential_distribution<double> pause(per_second);
        std::vector<double> latencies;
        const auto begin = wall_clock::now();
        auto next = begin;
        for (std::size_t i = 0; next - begin < measured; i = (i + 1) % polled_.size()) {
            next += std::chrono::duration_cast<wall_clock::duration>(std::chrono::duration<double>(pause(random_)));
            receive_until(next, latencies);
            send(i, next);
        }
        while (unanswered_ != 0) receive_until(wall_clock::now() + 100ms, latencies);
        std::sort(latencies.begin(), latencies.end());
        return latencies;
    }

private:
    void send(std::size_t i, wall_clock::time_point intended) {
        const std::array<char, message_bytes> message{};
        require(::send(polled_[i].fd, message.data(), message.size(), 0) == ssize_t{message_bytes}, "send");
        asked_[i].push_back(intended);
        ++unanswered_;
    }

    void receive_until(wall_clock::time_point end, std::vector<double>& latencies) {
        for (;;) {
            const auto left = std::max<std::chrono::nanoseconds>(end - wall_clock::now(), 0ns).count();
            const timespec time{left / 1'000'000'000, left % 1'000'000'000};
            const int ready = ppoll(polled_.data(), polled_.size(), &time, nullptr);
            require(ready >= 0 || errno == EINTR, "ppoll");
            if (ready == 0) return;
            for (std::size_t i = 0; i < polled_.size(); ++i) {
                if (polled_[i].revents != 0) receive(i, latencies);
            }
        }
    }

    void receive(std::size_t i, std::vector<double>& latencies) {
        std::array<char, 16 * message_bytes> block;
        const ssize_t n = recv(polled_[i].fd, block.data(), block.size(), MSG_DONTWAIT);
        require(n > 0, "recv");
        const auto now = wall_clock::now();
        received_[i] += static_cast<std::size_t>(n);
        for (; received_[i] >= message_bytes; received_[i] -= message_bytes) {
            latencies.push_back(microseconds(now - asked_[i].front()).count());
            asked_[i].pop_front();
            --unanswered_;
        }
    }

    std::vector<pollfd> polled_;
    std::vector<std::deque<wall_clock::time_point>> asked_;  // per connection, the intended times of what is unanswered
    std::vector<std::size_t> received_;                      // per connection, bytes of an answer that is incomplete
    std::size_t unanswered_ = 0;
    std::mt19937 random_{1};
};

coex::task<> echo(coex::tcp_stream peer) {
    std::array<std::byte, 4096> block;
    for (;;) {
        const std::size_t n = co_await peer.read_some(block);
        if (n == 0) break;
        co_await peer.write_all(std::span<const std::byte>(block).first(n));
    }
}

coex::task<> serve(coex::static_thread_pool& pool, coex::tcp_listener& listener) {
    co_await pool.schedule();
    std::vector<coex::task<>> sessions;
    for (int i = 0; i < connections; ++i) sessions.push_back(echo(co_await listener.accept()));
    co_await coex::when_all(std::move(sessions));
}

// Computes on worker 0, four fifths of the time, in slices.
void compute(coex::static_thread_pool& pool, const std::atomic<bool>& over, std::chrono::milliseconds slice) {
    while (!over.load()) {
        pool.broadcast([slice](coex::broadcast_context worker) {
            if (worker.index() != 0) return;
            const auto end = wall_clock::now() + slice;
            while (wall_clock::now() < end) {
            }
        });
        std::this_thread::sleep_for(slice / 4);
    }
}

void measure(double per_second, std::chrono::milliseconds slice) {
    std::atomic<bool> over{false};
    std::vector<double> latencies;
    {
        coex::pool_options options;
        options.threads = 2;
        options.cpus = {0, 1};
        coex::static_thread_pool pool(options);
        coex::tcp_listener listener = coex::tcp_listener::listen(pool, coex::endpoint::loopback(0));
        std::thread serving([&] { coex::block_on(serve(pool, listener)); });
        {
            open_client client(listener.local_endpoint().port());
            std::thread computing([&] {
                if (slice > 0ms) compute(pool, over, slice);
            });
            latencies = client.ask(per_second);
            over.store(true);
            computing.join();
        }
        serving.join();
    }
    const auto quantile = [&](double part) {
        return latencies[static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1))];
    };
    std::printf("%4.0f requests/s, one worker computes %3lld ms of %3lld: p50 %5.0f us, p99 %6.0f us, worst %6.0f us\n",
                per_second, static_cast<long long>(slice.count()), static_cast<long long>(slice.count() * 5 / 4),
                quantile(0.5), quantile(0.99), latencies.back());
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    coex_bench::go_on_if_asked_for(argc, argv, "busy", "how long requests wait while one of two workers computes");
    pin_this_thread(1);
    prctl(PR_SET_TIMERSLACK, 1UL);
    for (const double per_second : {4000.0, 200.0}) {
        for (const auto slice : {0ms, 5ms, 20ms, 100ms}) measure(per_second, slice);
    }
}
