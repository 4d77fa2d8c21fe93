// Serves the files below a directory over HTTP/1.1.
#include "options.hpp"
#include "session.hpp"

#include <exec/exec.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>

namespace http_server {
namespace {

using namespace std::chrono_literals;

coex::task<void> accept_all(site& where, coex::tcp_listener& listener, coex::counting_scope& sessions) {
    for (;;) {
        co_await where.slots.acquire();
        bool wait = false;
        try {
            coex::tcp_stream client = co_await coex::stop_when(listener.accept(), where.draining.when_set());
            coex::spawn(session(where, std::move(client)), sessions.get_token());
        } catch (const std::system_error& error) {
            std::fprintf(stderr, "http_server: %s\n", error.what());
            where.slots.release();
            wait = true;
        }
        // Such as too many open files, which go with time.
        if (wait) co_await coex::sleep_for(20ms);
    }
}

coex::task<void> end_after_grace(site& where, coex::counting_scope& sessions) {
    co_await coex::sleep_for(where.bounds.grace);
    sessions.request_stop();
}

coex::task<void> serve(coex::static_thread_pool& network, coex::static_thread_pool& cpu, const options& given,
                       coex::signal_set& signals) {
    co_await network.schedule();
    site where(co_await coex::open_directory(network, given.root), cpu, given.bounds);
    coex::tcp_listener listener = coex::tcp_listener::listen(network, coex::endpoint::parse(given.listen));
    coex::counting_scope sessions;
    coex::counting_scope helpers;
    coex::spawn(accept_all(where, listener, sessions), sessions.get_token());
    std::printf("listening at %s\n", listener.local_endpoint().to_string().c_str());
    std::fflush(stdout);

    const int signal = co_await signals.next();
    std::fprintf(stderr, "http_server: ending on signal %d\n", signal);
    where.draining.set();
    coex::spawn(end_after_grace(where, sessions), helpers.get_token());
    co_await sessions.join();
    helpers.request_stop();
    co_await helpers.join();
}

}  // namespace
}  // namespace http_server

int main(int argc, char** argv) {
    const http_server::options given = http_server::read_options(argc, argv);
    try {
        coex::signal_set::block({SIGTERM, SIGINT});
        coex::static_thread_pool network{{.name = "network", .threads = given.threads}};
        coex::static_thread_pool cpu{{.name = "cpu"}};
        coex::signal_set signals(network, {SIGTERM, SIGINT});
        coex::block_on(http_server::serve(network, cpu, given, signals));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "http_server: %s\n", error.what());
        return 1;
    }
    return 0;
}
