// How long requests wait that come to a pool of two workers while one of them computes, and what watching over that
// worker costs. Not a benchmark of time: it prints one line for each case.
//
// Latencies are those of a client that asks at its own pace, counted from the intended time. The worker that computes
// has a processor for itself; the other shares one with the client. Where the machine gives that processor to others,
// every request waits, whatever the pool does: so a thread that only sleeps and wakes there tells when that was, and
// the quantiles are printed once more without the requests that were on their way then.
#include "baseline/echo_sockets.hpp"
#include "plain_main.hpp"

#include <exec/exec.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace coex_bench;
using namespace std::chrono_literals;
using wall_clock = std::chrono::steady_clock;
using microseconds = std::chrono::duration<double, std::micro>;

constexpr int connections = 64;
constexpr auto measured = 2s;
constexpr int watched = 1000;  // operations in flight while the cost of watching is taken

/// From the time when something was due to the time when it was done.
struct span_of_time {
    wall_clock::time_point begin;
    wall_clock::time_point end;
};

/// Tells when the client's processor was not to be had.
class processor_watch {
public:
    processor_watch() : thread_([this] { run(); }) {}
    processor_watch(const processor_watch&) = delete;
    processor_watch& operator=(const processor_watch&) = delete;
    ~processor_watch() { end(); }

    void end() {
        over_.store(true);
        if (thread_.joinable()) thread_.join();
    }
    /// After end().
    [[nodiscard]] bool was_away(span_of_time time) const {
        return std::any_of(away_.begin(), away_.end(),
                           [&](span_of_time each) { return each.begin < time.end && time.begin < each.end; });
    }

private:
    static constexpr auto period = 200us;
    static constexpr auto prompt = 150us;

    void run() {
        pin_this_thread(1);
        prctl(PR_SET_TIMERSLACK, 1UL);
        for (auto due = wall_clock::now(); !over_.load(); due += period) {
            std::this_thread::sleep_until(due);
            const auto now = wall_clock::now();
            if (now - due > prompt) {
                away_.push_back({due, now});
                due = now;
            }
        }
    }

    std::vector<span_of_time> away_;  // OWNER: the thread
    std::atomic<bool> over_{false};
    std::thread thread_;
};

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

    /// Returns when each was intended and answered.
    std::vector<span_of_time> ask(double per_second) {
        std::exponential_distribution<double> pause(per_second);
        std::vector<span_of_time> answered;
        const auto begin = wall_clock::now();
        auto next = begin;
        for (std::size_t i = 0; next - begin < measured; i = (i + 1) % polled_.size()) {
            next += std::chrono::duration_cast<wall_clock::duration>(std::chrono::duration<double>(pause(random_)));
            receive_until(next, answered);
            send(i, next);
        }
        while (unanswered_ != 0) receive_until(wall_clock::now() + 100ms, answered);
        return answered;
    }

private:
    void send(std::size_t i, wall_clock::time_point intended) {
        const std::array<char, message_bytes> message{};
        require(::send(polled_[i].fd, message.data(), message.size(), 0) == ssize_t{message_bytes}, "send");
        asked_[i].push_back(intended);
        ++unanswered_;
    }

    void receive_until(wall_clock::time_point end, std::vector<span_of_time>& answered) {
        for (;;) {
            const auto left = std::max<std::chrono::nanoseconds>(end - wall_clock::now(), 0ns).count();
            const timespec time{left / 1'000'000'000, left % 1'000'000'000};
            const int ready = ppoll(polled_.data(), polled_.size(), &time, nullptr);
            require(ready >= 0 || errno == EINTR, "ppoll");
            if (ready == 0) return;
            for (std::size_t i = 0; i < polled_.size(); ++i) {
                if (polled_[i].revents != 0) receive(i, answered);
            }
        }
    }

    void receive(std::size_t i, std::vector<span_of_time>& answered) {
        std::array<char, 16 * message_bytes> block;
        const ssize_t n = recv(polled_[i].fd, block.data(), block.size(), MSG_DONTWAIT);
        require(n > 0, "recv");
        const auto now = wall_clock::now();
        received_[i] += static_cast<std::size_t>(n);
        for (; received_[i] >= message_bytes; received_[i] -= message_bytes) {
            answered.push_back({asked_[i].front(), now});
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

struct quantiles {
    explicit quantiles(std::vector<double> sorted) : latencies(std::move(sorted)) {
        std::sort(latencies.begin(), latencies.end());
    }
    [[nodiscard]] double operator()(double part) const {
        if (latencies.empty()) return 0;
        return latencies[static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1))];
    }
    std::vector<double> latencies;
};

void measure(double per_second, std::chrono::milliseconds slice) {
    std::atomic<bool> over{false};
    std::vector<span_of_time> answered;
    processor_watch processor;
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
            answered = client.ask(per_second);
            over.store(true);
            computing.join();
        }
        serving.join();
    }
    processor.end();
    std::vector<double> each;
    std::vector<double> undisturbed;
    for (const span_of_time one : answered) {
        each.push_back(microseconds(one.end - one.begin).count());
        if (!processor.was_away(one)) undisturbed.push_back(each.back());
    }
    const quantiles of_all(std::move(each));
    const quantiles of_undisturbed(std::move(undisturbed));
    std::printf(
        "%4.0f requests/s, one worker computes %3lld ms of %3lld: p50 %4.0f us, p99 %5.0f us, worst %5.0f us; "
        "with the processor at hand (%4.1f %%) p99 %4.0f us, p99.9 %4.0f us\n",
        per_second, static_cast<long long>(slice.count()), static_cast<long long>(slice.count() * 5 / 4), of_all(0.5),
        of_all(0.99), of_all(1),
        100 * static_cast<double>(of_undisturbed.latencies.size()) / static_cast<double>(answered.size()),
        of_undisturbed(0.99), of_undisturbed(0.999));
    std::fflush(stdout);
}

// --- what watching costs -------------------------------------------------------------------------------------------

double processor_seconds() {
    std::timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// Of the thread that looks after the rings; 0 when there is none.
double attendant_seconds() {
    for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::ifstream(each.path() / "comm") >> name;
        if (name != "coex-rings") continue;
        double nanoseconds = 0;
        std::ifstream(each.path() / "schedstat") >> nanoseconds;
        return nanoseconds * 1e-9;
    }
    return 0;
}

coex::task<> wait_for(coex::static_thread_pool& pool, int event) {
    co_await coex::poll(pool, event, coex::poll_events::readable);
}

coex::task<> compute_until(const std::atomic<bool>& over) {
    while (!over.load()) {
    }
    co_return;
}

// All waits are in the ring of the worker that then computes.
coex::task<> wait_and_compute(coex::static_thread_pool& pool, int event, const std::atomic<bool>& over) {
    std::vector<coex::task<>> all;
    for (int i = 0; i < watched; ++i) all.push_back(wait_for(pool, event));
    all.push_back(compute_until(over));
    co_await coex::when_all(std::move(all));
}

void measure_watching(bool computes) {
    const int event = eventfd(0, EFD_CLOEXEC);
    std::atomic<bool> over{!computes};
    double of_process = 0;
    double of_attendant = 0;
    {
        coex::static_thread_pool pool{{.threads = 2}};
        auto waiting = pool.submit([&] { return wait_and_compute(pool, event, over); });
        std::this_thread::sleep_for(200ms);
        of_process = -processor_seconds();
        of_attendant = -attendant_seconds();
        std::this_thread::sleep_for(measured);
        of_attendant += attendant_seconds();
        of_process += processor_seconds();
        over.store(true);
        const std::uint64_t one = 1;
        require(write(event, &one, sizeof one) == ssize_t{sizeof one}, "write");
        waiting.get();
    }
    close(event);
    const double seconds = std::chrono::duration<double>(measured).count();
    std::printf("%d operations in flight, %s: the attendant uses %.2f %% of a processor, the process %.2f %%\n",
                watched, computes ? "one worker computes" : "all workers rest", 100 * of_attendant / seconds,
                100 * of_process / seconds);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    coex_bench::go_on_if_asked_for(argc, argv, "busy", "how long requests wait while one of two workers computes");
    for (const bool computes : {false, true}) measure_watching(computes);
    pin_this_thread(1);
    prctl(PR_SET_TIMERSLACK, 1UL);
    for (const double per_second : {4000.0, 200.0}) {
        for (const auto slice : {0ms, 5ms, 20ms, 100ms}) measure(per_second, slice);
    }
}
