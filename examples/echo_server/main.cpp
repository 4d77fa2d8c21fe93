// Sends back what its clients send, until SIGTERM or SIGINT: a service in a page.
#include <exec/exec.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <span>
#include <system_error>
#include <vector>

namespace {

coex::task<void> session(coex::tcp_stream client) {
    try {
        std::vector<std::byte> block(4096);
        while (const std::size_t count = co_await client.read_some(block)) {
            co_await client.write_all(std::span<const std::byte>(block).first(count));
        }
    } catch (const std::system_error&) {
        // The client is gone.
    }
}

coex::task<void> accept_all(coex::tcp_listener& listener, coex::counting_scope& sessions) {
    for (;;) {
        coex::tcp_stream client = co_await listener.accept();
        coex::spawn(session(std::move(client)), sessions.get_token());
    }
}

coex::task<void> serve(coex::static_thread_pool& pool, coex::signal_set& signals, coex::endpoint where) {
    co_await pool.schedule();
    coex::tcp_listener listener = coex::tcp_listener::listen(pool, where);
    coex::counting_scope sessions;
    coex::spawn(accept_all(listener, sessions), sessions.get_token());
    std::printf("listening at %s\n", listener.local_endpoint().to_string().c_str());
    std::fflush(stdout);
    static_cast<void>(co_await signals.next());
    sessions.request_stop();
    co_await sessions.join();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        coex::signal_set::block({SIGTERM, SIGINT});
        coex::static_thread_pool pool{{.name = "echo", .threads = 2}};
        coex::signal_set signals(pool, {SIGTERM, SIGINT});
        coex::block_on(serve(pool, signals, coex::endpoint::parse(argc > 1 ? argv[1] : "127.0.0.1:7007")));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "echo_server: %s\n", error.what());
        return 1;
    }
    return 0;
}
