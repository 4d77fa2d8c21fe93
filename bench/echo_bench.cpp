// A server that echoes 64 bytes, with one thread on one processor, and a client on another: coex beside servers written
// by hand for io_uring, asio (both backends) and tokio. Times are of a reply; `server_cpu` is the processor time that
// the server used for it.
#include "baseline/echo_rivals.hpp"
#include "baseline/ring_echo.hpp"
#include "ratio_main.hpp"

#if defined(COEX_BENCH_ASIO)
#include "baseline/asio_echo.hpp"
#endif

#include <exec/exec.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace {

using namespace coex_bench;

constexpr unsigned server_cpu = 0;
constexpr unsigned client_cpu = 1;
constexpr int replies_per_iteration = 20'000;

/// Asks a server that is there already, from this thread.
void measure(benchmark::State& state, std::uint16_t port, int connections, pthread_t server) {
    pin_this_thread(client_cpu);
    ring_echo client(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    for (const int each : connect_all(port, connections)) client.add(each);
    client.ask(static_cast<std::size_t>(connections));  // until everybody has been accepted
    const double before = cpu_seconds(server);
    for (auto _ : state) client.ask(replies_per_iteration);
    const auto replies = static_cast<double>(state.iterations()) * replies_per_iteration;
    state.counters["server_cpu"] = (cpu_seconds(server) - before) / replies;
    state.SetItemsProcessed(static_cast<std::int64_t>(replies));
}

coex::task<> echo(coex::tcp_stream peer) {
    std::array<std::byte, 4096> block;
    for (;;) {
        const std::size_t n = co_await peer.read_some(block);
        if (n == 0) break;
        co_await peer.write_all(std::span<const std::byte>(block).first(n));
    }
}

coex::task<int> serve(coex::static_thread_pool& pool, coex::tcp_listener& listener, int connections) {
    co_await pool.schedule();
    std::vector<coex::task<>> sessions;
    for (int i = 0; i < connections; ++i) sessions.push_back(echo(co_await listener.accept()));
    co_await coex::when_all(std::move(sessions));
    co_return connections;
}

void ours(benchmark::State& state, int connections) {
    std::atomic<pthread_t> worker{};
    coex::pool_options options;
    options.threads = 1;
    options.cpus = {server_cpu};
    options.on_thread_start = [&worker](unsigned) { worker.store(pthread_self()); };
    coex::static_thread_pool pool(options);
    coex::tcp_listener listener = coex::tcp_listener::listen(pool, coex::endpoint::loopback(0));
    std::thread waiting([&] { coex::block_on(serve(pool, listener, connections)); });
    while (worker.load() == pthread_t{}) std::this_thread::yield();
    measure(state, listener.local_endpoint().port(), connections, worker.load());
    waiting.join();
}

/// A server that accepts, and echoes in the thread that calls it until all connections have ended.
void theirs(benchmark::State& state, int connections, void (*serve)(int listener, int connections)) {
    std::uint16_t port = 0;
    const int listener = listen_somewhere(port);
    std::thread server([&] {
        pin_this_thread(server_cpu);
        serve(listener, connections);
    });
    measure(state, port, connections, server.native_handle());
    server.join();
    close(listener);
}

template <unsigned Flags>
void serve_by_hand(int listener, int connections) {
    ring_echo echoes(Flags);
    for (int i = 0; i < connections; ++i) echoes.add(accept_one(listener));
    echoes.serve();
}

void add(int connections) {
    const std::string name = "echo_" + std::to_string(connections) + "_connections/";
    const auto register_one = [&](const char* side, auto function) {
        benchmark::RegisterBenchmark((name + side).c_str(), function)->UseRealTime();
    };
    register_one("ours", [=](benchmark::State& state) { ours(state, connections); });
    const auto register_rival = [&](const char* side, void (*serve)(int, int)) {
        register_one(side, [=](benchmark::State& state) { theirs(state, connections, serve); });
    };
    register_rival("ring_deferred", serve_by_hand < IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN >);
    register_rival("ring_cooperative", serve_by_hand < IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG >);
#if defined(COEX_BENCH_ASIO)
    register_rival("asio", asio_serve);
    register_rival("asio_on_io_uring", echo_with_asio_on_io_uring);
#endif
#if defined(COEX_BENCH_TOKIO)
    register_rival("tokio", coex_bench_echo_with_tokio);
#endif
}

}  // namespace

int main(int argc, char** argv) {
    for (const int connections : {1, 64, 512}) add(connections);
    return coex_bench::run(argc, argv);
}
