#include <exec/io/unix.hpp>

#include "io/socket_support.hpp"

#include <thread>

namespace {

using coex::block_on;
using coex::endpoint;
using coex::static_thread_pool;
using coex::task;
using coex::unix_listener;
using coex::unix_stream;
using coex_test::bytes_of;
using coex_test::failure_of;
using coex_test::room_in;
using coex_test::run_on;

task<std::string> ask(unix_stream& server, const std::string& question) {
    co_await server.write_all(bytes_of(question));
    server.shutdown();
    std::string answer(question.size(), '\0');
    co_await server.read_exactly(room_in(answer));
    co_return answer;
}

task<std::string> ask_at(static_thread_pool& pool, endpoint where, std::string question) {
    unix_stream server = co_await unix_stream::connect(pool, where);
    co_return co_await ask(server, question);
}

task<int> serve_one(unix_listener& listener) {
    co_await coex_test::echo(co_await listener.accept());
    co_return 0;
}

class local_sockets : public ::testing::Test {
protected:
    static_thread_pool pool{{.name = "net", .threads = 2}};
    coex_test::scratch_directory scratch;
};

TEST_F(local_sockets, serve_at_a_path_and_at_an_abstract_name) {
    for (const std::string& where :
         {(scratch / "socket").string(), std::string("@coex-test-") + std::to_string(::getpid())}) {
        unix_listener listener = unix_listener::listen(pool, endpoint::local(where));
        EXPECT_EQ(listener.local_endpoint().path(), where);
        std::thread server([&] { run_on(pool, serve_one(listener)); });
        EXPECT_EQ(run_on(pool, ask_at(pool, endpoint::local(where), "ping")), "ping");
        server.join();
    }
}

TEST_F(local_sockets, a_pair_is_connected) {
    auto [near, far] = unix_stream::pair(pool);
    std::thread server([&] { run_on(pool, coex_test::echo(std::move(far))); });
    EXPECT_EQ(run_on(pool, ask(near, "hello")), "hello");
    server.join();
}

TEST_F(local_sockets, a_missing_path_and_one_in_use_are_errors_that_name_it) {
    const endpoint where = endpoint::local((scratch / "socket").string());
    const auto [missing, text] = failure_of(pool, ask_at(pool, where, "x"));
    EXPECT_EQ(missing, std::errc::no_such_file_or_directory);
    EXPECT_NE(text.find("connect " + where.to_string()), std::string::npos) << text;
    const unix_listener first = unix_listener::listen(pool, where);
    try {
        const unix_listener second = unix_listener::listen(pool, where);
        FAIL() << "two listen at one path";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::address_in_use);
    }
}

task<int> connect_and_close(static_thread_pool& pool, endpoint where) {
    const unix_stream stream = co_await unix_stream::connect(pool, where);
    co_return 1;
}

task<int> accept_many(unix_listener& listener, int count) {
    for (int i = 0; i < count; ++i) const unix_stream each = co_await listener.accept();
    co_return count;
}

TEST_F(local_sockets, a_connection_waits_while_the_listener_has_no_room) {
    constexpr int connections = 20;
    const endpoint where = endpoint::local((scratch / "socket").string());
    unix_listener listener = unix_listener::listen(pool, where, {.backlog = 1});
    std::vector<task<int>> connecting;
    for (int i = 0; i < connections; ++i) connecting.push_back(connect_and_close(pool, where));
    std::thread client([&] { run_on(pool, coex::when_all(std::move(connecting))); });
    EXPECT_EQ(run_on(pool, accept_many(listener, connections)), connections);
    client.join();
}

}  // namespace
