// A million timers that are armed and cancelled, as time-outs mostly are; and what a million sleeping tasks cost in
// memory. Not a benchmark of iterations: it prints one line for each figure, medians of several rounds.
#include "plain_main.hpp"

#include <exec/exec.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstdio>
#include <deque>
#include <fstream>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using wall_clock = std::chrono::steady_clock;

constexpr std::size_t timers = 1'000'000;
constexpr int rounds = 7;

std::size_t resident_bytes() {
    std::size_t total_pages = 0;
    std::size_t resident_pages = 0;
    std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
    return resident_pages * static_cast<std::size_t>(getpagesize());
}

double median(std::vector<double> figures) {
    std::sort(figures.begin(), figures.end());
    return figures[figures.size() / 2];
}

struct timer : coex::timer_node {
    timer() : timer_node([](timer_node*) noexcept {}) {}
};

/// The timers of the pool whose coroutine awaits this.
struct timers_of_place {
    struct awaiter {
        static bool await_ready() noexcept { return false; }
        template <std::derived_from<coex::coroutine_base> Promise>
        bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
            service = &coroutine.promise().context().timers();
            return false;
        }
        coex::timer_service& await_resume() const noexcept { return *service; }
        coex::timer_service* service = nullptr;
    };
    awaiter operator co_await() const noexcept { return {}; }
};

// All are armed before the first is cancelled, at random deadlines.
coex::task<> arm_and_cancel_all(coex::static_thread_pool& pool, bool shuffled) {
    co_await pool.schedule();
    timers_of_place asking;
    coex::timer_service& service = co_await asking;
    std::vector<timer> all(timers);
    // By address, as an operation knows its own timer: a look-up of it would be one more miss of the cache.
    std::vector<timer*> order(timers);
    std::transform(all.begin(), all.end(), order.begin(), [](timer& each) { return &each; });
    std::mt19937_64 random(1);
    std::vector<double> armed;
    std::vector<double> cancelled;
    for (int round = 0; round < rounds; ++round) {
        const auto soonest = service.now() + 1h;
        for (timer& each : all) {
            each.stopped = false;
            each.deadline = soonest + std::chrono::microseconds(random() % 1'000'000'000);
        }
        if (shuffled) std::shuffle(order.begin(), order.end(), random);
        const auto begin = wall_clock::now();
        for (timer& each : all) static_cast<void>(service.arm(each));
        const auto middle = wall_clock::now();
        for (timer* each : order) service.cancel(*each);
        const auto end = wall_clock::now();
        armed.push_back(std::chrono::duration<double, std::nano>(middle - begin).count() / timers);
        cancelled.push_back(std::chrono::duration<double, std::nano>(end - middle).count() / timers);
    }
    std::printf("1,000,000 timers at once: armed in %.0f ns, cancelled in %s order in %.0f ns each\n", median(armed),
                shuffled ? "random" : "the same", median(cancelled));
}

// As a server does it: a limit for each of its operations, which end in time. Beside 10,000 others.
coex::task<> arm_and_cancel_one_by_one(coex::static_thread_pool& pool) {
    co_await pool.schedule();
    timers_of_place asking;
    coex::timer_service& service = co_await asking;
    std::deque<timer> others(10'000);
    const auto soonest = service.now() + 1h;
    for (timer& each : others) {
        each.deadline = soonest + std::chrono::microseconds(&each - &others.front());
        static_cast<void>(service.arm(each));
    }
    std::vector<double> times;
    for (int round = 0; round < rounds; ++round) {
        timer one;
        const auto begin = wall_clock::now();
        for (std::size_t i = 0; i < timers; ++i) {
            one.stopped = false;
            one.deadline = soonest + 30s;
            static_cast<void>(service.arm(one));
            service.cancel(one);
        }
        times.push_back(std::chrono::duration<double, std::nano>(wall_clock::now() - begin).count() / timers);
    }
    for (timer& each : others) service.cancel(each);
    std::printf("1,000,000 timers one after the other, beside 10,000: armed and cancelled in %.0f ns\n", median(times));
}

coex::task<> sleep_long() {
    co_await coex::sleep_for(1h);
}

void measure_sleepers() {
    coex::static_thread_pool pool{{.name = "bench", .threads = 1}};
    coex::counting_scope scope;
    // What a first task and the heap of the allocator cost does not count.
    pool.submit([] {}).get();
    const std::size_t before = resident_bytes();
    pool.submit([&] {
            for (std::size_t i = 0; i < timers; ++i) coex::spawn(sleep_long(), scope.get_token());
        })
        .get();
    const std::size_t after = resident_bytes();
    std::printf("1,000,000 sleeping tasks, spawned into a scope: %.0f bytes each\n",
                static_cast<double>(after - before) / timers);
    scope.request_stop();
    coex::block_on(scope.join());
}

}  // namespace

int main(int argc, char** argv) {
    coex_bench::go_on_if_asked_for(argc, argv, "timer", "what timers cost in time and memory; needs 1 GiB");
    {
        coex::static_thread_pool pool{{.name = "bench", .threads = 1}};
        coex::block_on(arm_and_cancel_all(pool, false));
        coex::block_on(arm_and_cancel_all(pool, true));
        coex::block_on(arm_and_cancel_one_by_one(pool));
    }
    measure_sleepers();
}
