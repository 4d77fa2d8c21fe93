// What goes wrong outside: peers that reset, descriptors that run out, files that shrink, blocks without bytes.
#include "io/socket_support.hpp"

#include <exec/base/config.hpp>
#include <exec/io/file.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <tuple>

namespace {

using coex::endpoint;
using coex::static_thread_pool;
using coex::task;
using coex::tcp_listener;
using coex::tcp_stream;
using coex_test::failure_of;
using coex_test::room_in;
using coex_test::run_on;

task<std::pair<tcp_stream, tcp_stream>> connected_pair(static_thread_pool& pool) {
    tcp_listener listener = tcp_listener::listen(pool, endpoint::loopback(0));
    tcp_stream near = co_await tcp_stream::connect(pool, listener.local_endpoint());
    tcp_stream far = co_await listener.accept();
    co_return std::pair<tcp_stream, tcp_stream>(std::move(near), std::move(far));
}

task<void> read_one(tcp_stream& from) {
    std::string text(1, '\0');
    co_await from.read_exactly(room_in(text));
}

/// No further descriptor can be opened while this lives.
class no_descriptors_left {
public:
    no_descriptors_left() {
        if (::getrlimit(RLIMIT_NOFILE, &former_) != 0) std::abort();
        rlimit none = former_;
        none.rlim_cur = 0;
        if (::setrlimit(RLIMIT_NOFILE, &none) != 0) std::abort();
    }
    no_descriptors_left(const no_descriptors_left&) = delete;
    no_descriptors_left& operator=(const no_descriptors_left&) = delete;
    ~no_descriptors_left() { ::setrlimit(RLIMIT_NOFILE, &former_); }

private:
    rlimit former_{};
};

class trouble : public ::testing::Test {
protected:
    static_thread_pool pool{{.name = "net", .threads = 1}};
    coex_test::scratch_directory scratch;
};

TEST_F(trouble, a_reset_is_an_error_that_names_operation_and_socket) {
    auto [near, far] = run_on(pool, connected_pair(pool));
    const linger at_once{1, 0};
    ASSERT_EQ(::setsockopt(far.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    // The kernel has forgotten the peer by then.
    const std::string own = near.local_endpoint().to_string();
    far.close();
    const auto [code, text] = failure_of(pool, read_one(near));
    EXPECT_EQ(code, std::errc::connection_reset) << text;
    EXPECT_NE(text.find("read_exactly"), std::string::npos) << text;
    EXPECT_NE(text.find(own), std::string::npos) << text;
}

TEST_F(trouble, without_descriptors_opening_and_accepting_fail_and_go_on_later) {
    if (COEX_ADDRESS_SANITIZER != 0) GTEST_SKIP() << "the sanitizers need descriptors themselves to look at memory";
    const auto path = scratch.write("file", "x");
    tcp_listener listener = tcp_listener::listen(pool, endpoint::loopback(0));
    const auto accept_one = [](tcp_listener& from) -> task<void> { co_await from.accept(); };
    const auto open_one = [](static_thread_pool& on, std::filesystem::path what) -> task<void> {
        co_await coex::open_file(on, what, coex::open_mode::read);
    };
    const auto connect_one = [](static_thread_pool& on, endpoint to) -> task<tcp_stream> {
        co_return co_await tcp_stream::connect(on, to);
    };
    // Also what the pool makes at its first operation must be there.
    const tcp_stream waiting = run_on(pool, connect_one(pool, listener.local_endpoint()));
    std::array<std::pair<std::error_code, std::string>, 3> failures;
    {
        const no_descriptors_left limit;
        failures[0] = failure_of(pool, accept_one(listener));
        failures[1] = failure_of(pool, open_one(pool, path));
        failures[2] = failure_of(pool, connect_one(pool, listener.local_endpoint()));
    }
    for (const auto& [code, text] : failures) EXPECT_EQ(code, std::errc::too_many_files_open) << text;
    EXPECT_NE(failures[1].second.find(path.string()), std::string::npos) << failures[1].second;
    run_on(pool, accept_one(listener));
    run_on(pool, open_one(pool, path));
}

TEST_F(trouble, a_file_that_shrinks_while_it_is_read_just_ends_earlier) {
    const auto path = scratch.write("file", std::string(100'000, 'x'));
    const auto read = [](static_thread_pool& on, std::filesystem::path what) -> task<std::size_t> {
        coex::file from = co_await coex::open_file(on, what, coex::open_mode::read);
        std::vector<std::byte> block(60'000);
        const std::size_t first = co_await from.read_at(0, block);
        std::filesystem::resize_file(what, 70'000);
        const std::size_t second = co_await from.read_at(60'000, block);
        const std::size_t third = co_await from.read_at(70'000, block);
        co_return first == 60'000 && third == 0 ? second : 0;
    };
    EXPECT_EQ(run_on(pool, read(pool, path)), 10'000U);
}

TEST_F(trouble, blocks_without_bytes_transfer_nothing) {
    const auto path = scratch.write("file", "text");
    const auto transfer = [](static_thread_pool& on, std::filesystem::path what) -> task<std::size_t> {
        coex::file both = co_await coex::open_file(on, what, coex::open_mode::read_write);
        const std::size_t read = co_await both.read_at(0, {});
        const std::size_t written = co_await both.write_at(2, {});
        const coex::file_info info = co_await both.statx();
        co_return read + written + info.size;
    };
    EXPECT_EQ(run_on(pool, transfer(pool, path)), 4U);
    auto [near, far] = run_on(pool, connected_pair(pool));
    const auto send = [](tcp_stream& to) -> task<void> {
        co_await to.write_all({});
        co_await to.read_exactly({});
    };
    run_on(pool, send(near));
}

}  // namespace
