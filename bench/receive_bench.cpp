// Receiving from many connections: block by block into shared buffers (`incoming_blocks`) beside `read_some` into a
// buffer of each connection's own. `cpu` is the worker's processor time, in seconds.
#include "baseline/echo_sockets.hpp"
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex::task;
using coex::unix_stream;
using coex_bench::message_bytes;
using connections = std::vector<std::pair<unix_stream, unix_stream>>;

constexpr std::size_t messages = 400;  // for each connection
constexpr std::size_t whole = message_bytes * messages;

task<void> into_own(unix_stream& from) {
    std::vector<std::byte> block(4096);
    for (std::size_t got = 0; got < whole;) got += co_await from.read_some(block);
}

task<void> into_shared(unix_stream& from, const coex::receive_buffers& buffers) {
    coex::incoming_blocks incoming(from, buffers);
    for (std::size_t got = 0; got < whole;) {
        const std::optional<coex::received_block> block = co_await incoming.next();
        got += block->size();
    }
}

/// Receives all on the pool's only worker, and gives the processor time that this took.
task<double> receive(static_thread_pool& pool, connections& all, const coex::receive_buffers* shared) {
    co_await pool.schedule();
    const double before = coex_bench::cpu_seconds(pthread_self());
    std::vector<task<void>> readers;
    for (auto& [here, there] : all) {
        // Not by ?:, whose temporaries g++ 12 destroys twice in a coroutine.
        if (shared != nullptr) {
            readers.push_back(into_shared(here, *shared));
        } else {
            readers.push_back(into_own(here));
        }
    }
    co_await coex::when_all(std::move(readers));
    co_return coex_bench::cpu_seconds(pthread_self()) - before;
}

void send_all(const connections& all) {
    const std::vector<std::byte> message(message_bytes);
    for (std::size_t i = 0; i < messages; ++i) {
        for (const auto& [here, there] : all) {
            const auto sent = ::send(there.native_handle(), message.data(), message.size(), 0);
            coex_bench::require(sent == static_cast<ssize_t>(message.size()), "send");
        }
    }
}

void run(benchmark::State& state, std::size_t count, bool shares) {
    static_thread_pool pool{{.threads = 1}};
    const coex::receive_buffers buffers(1024, 4096);
    double used = 0;
    for (auto _ : state) {
        state.PauseTiming();
        connections all;
        for (std::size_t i = 0; i < count; ++i) all.push_back(unix_stream::pair(pool));
        state.ResumeTiming();
        std::thread sender([&all] { send_all(all); });
        used += coex::block_on(receive(pool, all, shares ? &buffers : nullptr));
        sender.join();
    }
    state.counters["cpu"] = benchmark::Counter(used, benchmark::Counter::kAvgIterations);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count * messages));
}

BENCHMARK_CAPTURE(run, one, std::size_t{1}, true)->Name("receive_1/ours")->UseRealTime();
BENCHMARK_CAPTURE(run, one_own, std::size_t{1}, false)->Name("receive_1/read_some")->UseRealTime();
BENCHMARK_CAPTURE(run, many, std::size_t{64}, true)->Name("receive_64/ours")->UseRealTime();
BENCHMARK_CAPTURE(run, many_own, std::size_t{64}, false)->Name("receive_64/read_some")->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
