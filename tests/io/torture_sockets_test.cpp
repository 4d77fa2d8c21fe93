#include "io/socket_support.hpp"
#include "io/torture.hpp"

#include <exec/io/datagram.hpp>
#include <exec/io/incoming.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <type_traits>

namespace {

using coex::endpoint;
using coex::task;
using coex_test::make_subject;
using coex_test::scratch_directory;
using coex_test::subject;

std::size_t bytes_inside(int descriptor) {
    int count = 0;
    EXPECT_EQ(::ioctl(descriptor, FIONREAD, &count), 0);
    return static_cast<std::size_t>(count);
}

/// Takes all that can be received without waiting. Returns how many bytes that was.
std::size_t drain(int descriptor) {
    std::array<char, 65536> block{};
    std::size_t all = 0;
    for (;;) {
        const ssize_t count = ::recv(descriptor, block.data(), block.size(), MSG_DONTWAIT);
        if (count <= 0) return all;
        all += static_cast<std::size_t>(count);
    }
}

/// Two connected streams, of which the run uses `near_`.
class on_streams : public subject {
public:
    on_streams(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of), ends_(coex::unix_stream::pair(of)), near_(ends_.first), far_(ends_.second) {}

private:
    std::pair<coex::unix_stream, coex::unix_stream> ends_;

protected:
    coex::unix_stream& near_;
    coex::unix_stream& far_;
    coex_test::lent_buffer block_;
};

struct read_some : on_streams {
    using on_streams::on_streams;
    task<void> run() override { EXPECT_EQ(co_await near_.read_some(block_), 3U); }
    void complete() override {
        EXPECT_EQ(::send(far_.native_handle(), "abc", 3, MSG_NOSIGNAL), 3);
        sent_ = 3;
    }
    void check(bool stopped) override {
        EXPECT_EQ(bytes_inside(near_.native_handle()), stopped ? sent_ : 0U) << "a stopped read_some took something";
    }
    std::size_t sent_ = 0;
};

struct read_blocks : read_some {
    using read_some::read_some;
    task<void> run() override {
        std::array<std::byte, 2> first{};
        const std::array<std::span<std::byte>, 2> blocks = {first, block_};
        EXPECT_EQ(co_await near_.read_blocks(blocks), 3U);
    }
};

struct read_exactly : on_streams {
    using on_streams::on_streams;
    task<void> run() override {
        std::array<std::byte, 6> six{};
        co_await near_.read_exactly(six);
        EXPECT_EQ(six[5], std::byte{'c'});
    }
    void complete() override {
        EXPECT_EQ(::send(far_.native_handle(), "abc", 3, MSG_NOSIGNAL), 3);
        std::this_thread::yield();
        EXPECT_EQ(::send(far_.native_handle(), "abc", 3, MSG_NOSIGNAL), 3);
    }
};

/// A stream that is full.
class on_full_stream : public on_streams {
public:
    on_full_stream(coex::static_thread_pool& of, const scratch_directory& scratch) : on_streams(of, scratch) {
        near_.set_send_buffer(4096);
        const std::array<char, 512> data{};
        for (;;) {
            const ssize_t count = ::send(near_.native_handle(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count <= 0) break;
            sent_ += static_cast<std::size_t>(count);
        }
    }
    void complete() override { received_ = drain(far_.native_handle()); }
    void check(bool) override {
        received_ += drain(far_.native_handle());
        EXPECT_EQ(received_, sent_ + by_run_) << "a stopped write sent something, or a finished one did not";
    }

protected:
    std::size_t sent_ = 0;
    std::size_t by_run_ = 0;

private:
    std::size_t received_ = 0;
};

struct write_some : on_full_stream {
    using on_full_stream::on_full_stream;
    task<void> run() override { by_run_ = co_await near_.write_some(block_); }
};

struct write_blocks : on_full_stream {
    using on_full_stream::on_full_stream;
    task<void> run() override {
        const std::array<std::span<const std::byte>, 2> blocks = {block_, block_};
        by_run_ = co_await near_.write_blocks(blocks);
    }
};

struct write_all : on_full_stream {
    using on_full_stream::on_full_stream;
    task<void> run() override {
        std::vector<std::byte> much(1 << 20);
        co_await near_.write_all(much);
        by_run_ = much.size();
    }
    // Takes a part, never all: draining the stream might keep up with the writer to the end.
    void complete() override {
        std::vector<std::byte> part(64 << 10);
        EXPECT_GT(::recv(far_.native_handle(), part.data(), part.size(), MSG_DONTWAIT), 0);
    }
    void check(bool stopped) override { EXPECT_TRUE(stopped); }
};

template <class Listener>
struct accept_from : subject {
    accept_from(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of), listener_(Listener::listen(of, place())) {}
    ~accept_from() override {
        if (client_ >= 0) ::close(client_);
    }
    task<void> run() override {
        const auto accepted = co_await listener_.accept();
        EXPECT_TRUE(accepted.is_open());
    }
    void complete() override {
        const endpoint to = listener_.local_endpoint();
        client_ = ::socket(static_cast<const sockaddr*>(to.data())->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(client_, static_cast<const sockaddr*>(to.data()), to.size()), 0);
    }
    void check(bool stopped) override {
        const int flags = ::fcntl(listener_.native_handle(), F_GETFL);
        ::fcntl(listener_.native_handle(), F_SETFL, flags | O_NONBLOCK);
        const int left = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
        EXPECT_EQ(left >= 0, stopped && client_ >= 0) << "a stopped accept has taken no connection";
        if (left >= 0) ::close(left);
    }
    [[nodiscard]] endpoint place() const {
        if constexpr (std::is_same_v<Listener, coex::unix_listener>) return endpoint::local((scratch_ / "s").native());
        return endpoint::loopback(0);
    }
    scratch_directory scratch_;
    Listener listener_;
    int client_ = -1;
};

struct tcp_connect : subject {
    tcp_connect(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of), listener_(coex::tcp_listener::listen(of, endpoint::loopback(0))) {}
    task<void> run() override {
        const endpoint to = listener_.local_endpoint();
        const coex::tcp_stream connected = co_await coex::tcp_stream::connect(pool(), to);
        EXPECT_TRUE(connected.is_open());
    }
    coex::tcp_listener listener_;
};

/// Connects to a local listener that has no room.
struct unix_connect : subject {
    unix_connect(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of), where_(endpoint::local((place_ / "s").native())), listener_(listen(of, where_)) {
        for (int& each : crowd_) {
            each = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            static_cast<void>(::connect(each, static_cast<const sockaddr*>(where_.data()), where_.size()));
        }
    }
    ~unix_connect() override {
        for (const int each : crowd_) ::close(each);
        for (const int each : accepted_) {
            if (each >= 0) ::close(each);
        }
    }
    static coex::unix_listener listen(coex::static_thread_pool& of, const endpoint& where) {
        coex::listen_options options;
        options.backlog = 0;
        return coex::unix_listener::listen(of, where, options);
    }
    task<void> run() override {
        const coex::unix_stream connected = co_await coex::unix_stream::connect(pool(), where_);
        EXPECT_TRUE(connected.is_open());
    }
    void complete() override {
        for (int& each : accepted_) each = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
    }
    scratch_directory place_;
    endpoint where_;
    coex::unix_listener listener_;
    std::array<int, 2> crowd_{};
    std::array<int, 1> accepted_{-1};
};

struct receive_datagram : subject {
    receive_datagram(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of), socket_(coex::udp_socket::bind(of, endpoint::loopback(0))) {}
    task<void> run() override {
        std::array<std::byte, 16> block{};
        const coex::datagram got = co_await socket_.recv_from(block);
        EXPECT_EQ(got.bytes, 3U);
    }
    void complete() override {
        const endpoint to = socket_.local_endpoint();
        EXPECT_EQ(::sendto(socket_.native_handle(), "abc", 3, 0, static_cast<const sockaddr*>(to.data()), to.size()),
                  3);
        sent_ = 3;
    }
    void check(bool stopped) override { EXPECT_EQ(drain(socket_.native_handle()), stopped ? sent_ : 0U); }
    coex::udp_socket socket_;
    std::size_t sent_ = 0;
};

/// Sends to a local socket that is full.
struct send_datagram : subject {
    send_datagram(coex::static_thread_pool& of, const scratch_directory&)
        : subject(of),
          where_(endpoint::local((place_ / "s").native())),
          receiver_(coex::unix_datagram_socket::bind(of, where_)),
          sender_(coex::unix_datagram_socket::bind(of, endpoint::local((place_ / "t").native()))) {
        while (::sendto(sender_.native_handle(), "a", 1, MSG_DONTWAIT, static_cast<const sockaddr*>(where_.data()),
                        where_.size()) == 1) {
            ++sent_;
        }
    }
    task<void> run() override {
        const std::array<std::byte, 1> block{};
        by_run_ = co_await sender_.send_to(block, where_);
    }
    void complete() override { received_ = drain(receiver_.native_handle()); }
    void check(bool) override {
        EXPECT_EQ(received_ + drain(receiver_.native_handle()), sent_ + by_run_)
            << "lost, or sent by a stopped send_to";
    }
    scratch_directory place_;
    endpoint where_;
    coex::unix_datagram_socket receiver_;
    coex::unix_datagram_socket sender_;
    std::size_t sent_ = 0;
    std::size_t by_run_ = 0;
    std::size_t received_ = 0;
};

/// Both kinds of incoming sequences share what all of their kind receive into.
coex::receive_buffers& shared_buffers() {
    static coex::receive_buffers buffers(16, 256);
    return buffers;
}

void expect_buffers_back() {
    EXPECT_EQ(shared_buffers().in_use(), 0U) << "buffers of the kernel's that were not given back";
}

struct next_block : on_streams {
    next_block(coex::static_thread_pool& of, const scratch_directory& scratch)
        : on_streams(of, scratch), incoming_(near_, shared_buffers()) {}
    task<void> run() override {
        const std::optional<coex::received_block> got = co_await incoming_.next();
        EXPECT_TRUE(got && got->bytes().size() == 3);
    }
    void complete() override {
        EXPECT_EQ(::send(far_.native_handle(), "abc", 3, MSG_NOSIGNAL), 3);
        is_sent_ = true;
    }
    task<void> check_by_pool(bool stopped) override {
        if (stopped && is_sent_) co_await run();  // a stopped one has lost nothing
    }
    coex::incoming_blocks incoming_;
    bool is_sent_ = false;
};

struct next_datagram : receive_datagram {
    using receive_datagram::receive_datagram;
    task<void> run() override {
        const coex::received_datagram got = co_await incoming_.next();
        EXPECT_TRUE(got.block.bytes().size() == 3 && !got.truncated);
    }
    task<void> check_by_pool(bool stopped) override {
        if (stopped && sent_ != 0) co_await run();
    }
    void check(bool) override {}
    coex::incoming_datagrams incoming_{socket_, shared_buffers()};
};

const std::vector<coex_test::kind_of_subject> kinds = {
    {"read_some", make_subject<read_some>},
    {"read_blocks", make_subject<read_blocks>},
    {"read_exactly", make_subject<read_exactly>},
    {"write_some", make_subject<write_some>},
    {"write_blocks", make_subject<write_blocks>},
    {"write_all", make_subject<write_all>},
    {"tcp_accept", make_subject<accept_from<coex::tcp_listener>>},
    {"unix_accept", make_subject<accept_from<coex::unix_listener>>},
    {"tcp_connect", make_subject<tcp_connect>},
    {"unix_connect", make_subject<unix_connect>},
    {"receive_datagram", make_subject<receive_datagram>},
    {"send_datagram", make_subject<send_datagram>},
    {"next_block", make_subject<next_block>, 1, expect_buffers_back},
    {"next_datagram", make_subject<next_datagram>, 1, expect_buffers_back},
};

class torture_of_sockets : public coex_test::torture {};

TEST_P(torture_of_sockets, what_is_stopped_at_any_moment_ends_once_and_takes_or_sends_nothing) {
    stop_at_random(kinds, 150);
}

TEST_P(torture_of_sockets, a_pool_that_is_destroyed_ends_what_waits_once) {
    destroy_under_it(kinds, 24);
}

COEX_ON_BOTH_ROADS(torture_of_sockets);

}  // namespace
