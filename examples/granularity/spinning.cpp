#include "spinning.hpp"

#include <algorithm>
#include <barrier>
#include <thread>
#include <vector>

namespace granularity {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

double measure_nanoseconds_per_step() {
    constexpr std::uint64_t steps = 2'000'000;
    auto shortest = nanoseconds::max();
    for (int i = 0; i < 7; ++i) {
        const auto begin = clock::now();
        spin(steps);
        shortest = std::min(shortest, nanoseconds(clock::now() - begin));
    }
    return static_cast<double>(shortest.count()) / static_cast<double>(steps);
}

}  // namespace

std::uint64_t steps_of(nanoseconds length) {
    static const double per_step = measure_nanoseconds_per_step();
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(length.count()) / per_step));
}

nanoseconds time_on_threads(std::size_t tasks, std::uint64_t steps, unsigned threads) {
    std::barrier ready(static_cast<std::ptrdiff_t>(threads) + 1);
    std::vector<std::jthread> all;
    for (unsigned t = 0; t < threads; ++t) {
        const std::size_t share = tasks / threads + (t < tasks % threads ? 1 : 0);
        all.emplace_back([&ready, share, steps] {
            ready.arrive_and_wait();
            for (std::size_t i = 0; i < share; ++i) spin(steps);
            ready.arrive_and_wait();
        });
    }
    ready.arrive_and_wait();
    const auto begin = clock::now();
    ready.arrive_and_wait();
    return clock::now() - begin;
}

}  // namespace granularity
