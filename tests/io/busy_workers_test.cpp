// A worker that computes, however long, keeps nothing from being done that another worker could do.

#include "io/socket_support.hpp"

#include <exec/algo/stopped_as.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/base/config.hpp>
#include <exec/io/poll.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <latch>
#include <memory>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

// In these tests a computation ends only when something has been done that began on its worker: whatever were
// stranded behind it would make the test hang.

namespace {

using coex::poll_events;
using coex::static_thread_pool;
using coex::task;
using namespace std::chrono_literals;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;
constexpr int rounds = slow ? 20 : 100;

class pair_of_sockets {
public:
    pair_of_sockets() {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) != 0) std::abort();
    }
    pair_of_sockets(const pair_of_sockets&) = delete;
    pair_of_sockets& operator=(const pair_of_sockets&) = delete;
    ~pair_of_sockets() {
        close_peer();
        if (ends_[0] >= 0) ::close(ends_[0]);
    }
    [[nodiscard]] int take() { return std::exchange(ends_[0], -1); }
    /// Does nothing when nobody receives any more.
    void send(std::string_view text) const {
        if (::send(ends_[1], text.data(), text.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE) std::abort();
    }
    [[nodiscard]] char receive() const {
        char byte = 0;
        return ::recv(ends_[1], &byte, 1, 0) == 1 ? byte : '\0';
    }
    void close_peer() {
        if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
    }

private:
    std::array<int, 2> ends_{};
};

void wait_for(const std::atomic<bool>& flag) {
    while (!flag.load()) std::this_thread::yield();
}

// Computes until `flag`.
task<> compute_until(const std::atomic<bool>& flag) {
    wait_for(flag);
    co_return;
}

// Computes until `count` has come to `most`.
task<> compute_until(const std::atomic<int>& count, int most) {
    while (count.load() < most) std::this_thread::yield();
    co_return;
}

task<> receive_byte(static_thread_pool& pool, int descriptor, std::atomic<bool>& done) {
    coex::unix_stream peer(pool, descriptor);
    std::array<std::byte, 1> byte{};
    EXPECT_EQ(co_await peer.read_some(byte), 1U);
    done.store(true);
}

template <class Sender>
auto stopped_by(coex::inplace_stop_token token, Sender sender) {
    return coex::write_env(std::move(sender), coex::prop(coex::get_stop_token, token));
}

task<> tell_begun(std::atomic<bool>& begun) {
    begun.store(true);
    co_return;
}

// The operation is prepared, and nobody has submitted it, when the computation begins.
TEST(busy_workers, an_operation_begun_just_before_a_computation_is_carried_out) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < rounds; ++round) {
        pair_of_sockets sockets;
        std::atomic<bool> begun{false};
        std::atomic<bool> done{false};
        auto busy = pool.submit([&]() -> task<> {
            co_await coex::when_all(receive_byte(pool, sockets.take(), done), tell_begun(begun), compute_until(done));
        });
        wait_for(begun);
        sockets.send("x");
        busy.get();
    }
}

// The second read shows that the first has been submitted. Meanwhile the other worker is kept busy, so the computation
// is of the worker that has the operation.
TEST(busy_workers, what_completes_during_a_computation_is_handed_over) {
    for (int round = 0; round < rounds; ++round) {
        pair_of_sockets first;
        pair_of_sockets second;
        std::atomic<bool> begun{false};
        std::atomic<bool> first_done{false};
        std::atomic<bool> second_done{false};
        std::latch other(1);
        static_thread_pool pool{{.threads = 2}};
        std::atomic<bool> held{false};
        auto holder = pool.submit([&] {
            held.store(true);
            other.wait();
        });
        wait_for(held);
        auto reading = pool.submit([&]() -> task<> {
            co_await coex::when_all(receive_byte(pool, first.take(), first_done),
                                    receive_byte(pool, second.take(), second_done));
        });
        second.send("x");
        wait_for(second_done);
        auto busy = pool.submit([&] {
            begun.store(true);
            wait_for(first_done);
        });
        wait_for(begun);
        other.count_down();
        first.send("x");
        busy.get();
        reading.get();
        holder.get();
    }
}

TEST(busy_workers, a_request_that_is_answered_in_several_steps_is_served) {
    static_thread_pool pool{{.threads = 2}};
    pair_of_sockets sockets;
    std::atomic<bool> begun{false};
    std::atomic<bool> over{false};
    auto busy = pool.submit([&]() -> task<> {
        coex::unix_stream peer(pool, sockets.take());
        co_await coex::when_all(coex_test::echo(std::move(peer)), tell_begun(begun), compute_until(over));
    });
    wait_for(begun);
    for (int i = 0; i < 10 * rounds; ++i) {
        sockets.send("x");
        EXPECT_EQ(sockets.receive(), 'x');
    }
    over.store(true);
    sockets.close_peer();
    busy.get();
}

// The kernel answers with the part that came, and the rest is begun anew, by whoever took the answer.
TEST(busy_workers, a_transfer_that_goes_on_after_a_part_is_carried_on) {
    static_thread_pool pool{{.threads = 2}};
    const auto receive_all = [](static_thread_pool& home, int descriptor, std::atomic<bool>& done) -> task<> {
        coex::unix_stream peer(home, descriptor);
        std::array<std::byte, 100> block{};
        try {
            co_await peer.read_exactly(block);
            ADD_FAILURE() << "the stream has ended before";
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), coex::io_errc::end_of_stream);
        }
        done.store(true);
    };
    for (int round = 0; round < rounds; ++round) {
        pair_of_sockets sockets;
        std::atomic<bool> begun{false};
        std::atomic<bool> done{false};
        auto busy = pool.submit([&]() -> task<> {
            co_await coex::when_all(receive_all(pool, sockets.take(), done), tell_begun(begun), compute_until(done));
        });
        wait_for(begun);
        sockets.send("xy");
        sockets.close_peer();
        busy.get();
    }
}

TEST(busy_workers, a_stop_reaches_the_operations_of_a_busy_worker) {
    static_thread_pool pool{{.threads = 2}};
    const auto receive_until_stop = [](static_thread_pool& home, int descriptor, coex::inplace_stop_token token,
                                       std::atomic<bool>& done) -> task<> {
        coex::unix_stream peer(home, descriptor);
        std::array<std::byte, 1> byte{};
        auto receive = coex::stopped_as_optional(stopped_by(token, peer.read_some(byte)));
        const auto answer = co_await std::move(receive);
        EXPECT_FALSE(answer.has_value());
        done.store(true);
    };
    for (int round = 0; round < rounds; ++round) {
        pair_of_sockets sockets;
        std::atomic<bool> begun{false};
        std::atomic<bool> done{false};
        coex::inplace_stop_source source;
        auto busy = pool.submit([&]() -> task<> {
            co_await coex::when_all(receive_until_stop(pool, sockets.take(), source.get_token(), done),
                                    tell_begun(begun), compute_until(done));
        });
        wait_for(begun);
        source.request_stop();
        busy.get();
    }
}

TEST(busy_workers, a_timer_armed_just_before_a_computation_ends) {
    static_thread_pool pool{{.threads = 2}};
    const auto nap = [](std::atomic<bool>& done) -> task<> {
        co_await coex::sleep_for(1ms);
        done.store(true);
    };
    for (int round = 0; round < rounds; ++round) {
        std::atomic<bool> done{false};
        pool.submit([&]() -> task<> { co_await coex::when_all(nap(done), compute_until(done)); }).get();
    }
}

TEST(busy_workers, work_submitted_just_before_a_computation_is_done) {
    static_thread_pool pool{{.threads = 2}};
    for (int round = 0; round < rounds; ++round) {
        std::atomic<int> done{0};
        pool.submit([&] {
                std::vector<coex::submission<void>> handles;
                for (int i = 0; i < 20; ++i) handles.push_back(pool.submit([&done] { done.fetch_add(1); }));
                while (done.load() != 20) std::this_thread::yield();
                for (auto& each : handles) each.get();
            })
            .get();
    }
}

// More completions at once than the ring has entries for.
TEST(busy_workers, a_flood_of_completions_during_a_computation_is_handed_over) {
    constexpr int many = 6000;
    static_thread_pool pool{{.threads = 2}};
    const int event = ::eventfd(0, EFD_CLOEXEC);
    const auto wait_for_event = [](static_thread_pool& home, int descriptor, std::atomic<int>& done) -> task<> {
        co_await coex::poll(home, descriptor, poll_events::readable);
        done.fetch_add(1);
    };
    std::atomic<bool> begun{false};
    std::atomic<int> done{0};
    auto busy = pool.submit([&]() -> task<> {
        std::vector<task<>> all;
        for (int i = 0; i < many; ++i) all.push_back(wait_for_event(pool, event, done));
        all.push_back(tell_begun(begun));
        all.push_back(compute_until(done, many));
        co_await coex::when_all(std::move(all));
    });
    wait_for(begun);
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(event, &one, sizeof one), ssize_t{sizeof one});
    busy.get();
    ::close(event);
}

// --- many sessions, and workers that compute now and then ----------------------------------------------------------

class several_workers : public ::testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, several_workers, ::testing::Values(2U, 3U, 4U, 8U));

TEST_P(several_workers, sessions_are_served_while_all_but_one_compute) {
    static_thread_pool pool{{.threads = GetParam()}};
    const unsigned busy_ones = GetParam() - 1;
    constexpr int sessions = 4;
    constexpr int requests = slow ? 5 : 20;
    for (int round = 0; round < rounds / 10; ++round) {
        std::vector<std::unique_ptr<pair_of_sockets>> sockets;
        std::atomic<unsigned> begun{0};
        std::atomic<bool> over{false};
        std::vector<coex::submission<void>> busy;
        const auto compute = [](std::atomic<unsigned>& count, const std::atomic<bool>& flag) -> task<> {
            count.fetch_add(1);
            wait_for(flag);
            co_return;
        };
        for (unsigned i = 0; i < busy_ones; ++i) {
            std::vector<int> mine;
            for (int k = 0; k < sessions; ++k) {
                sockets.push_back(std::make_unique<pair_of_sockets>());
                mine.push_back(sockets.back()->take());
            }
            busy.push_back(pool.submit([&pool, &begun, &over, &compute, mine]() -> task<> {
                std::vector<task<>> all;
                for (const int each : mine) all.push_back(coex_test::echo(coex::unix_stream(pool, each)));
                all.push_back(compute(begun, over));
                co_await coex::when_all(std::move(all));
            }));
        }
        while (begun.load() != busy_ones) std::this_thread::yield();
        for (int i = 0; i < requests; ++i) {
            for (auto& each : sockets) each->send("x");
            for (auto& each : sockets) EXPECT_EQ(each->receive(), 'x');
        }
        over.store(true);
        for (auto& each : sockets) each->close_peer();
        for (auto& each : busy) each.get();
    }
}

// The other party stops it, or writes to it, or both at once; or its time is up.
task<bool> receive_or_stop(static_thread_pool& pool, int descriptor, coex::inplace_stop_token token) {
    coex::unix_stream peer(pool, descriptor);
    std::array<std::byte, 1> byte{};
    auto receive = coex::stopped_as_optional(stopped_by(token, peer.read_some(byte)));
    const auto answer = co_await std::move(receive);
    co_return answer.has_value();
}

TEST_P(several_workers, every_operation_ends_once_when_stops_race_with_completions_and_computations) {
    static_thread_pool pool{{.threads = GetParam()}};
    constexpr int operations = 16;
    for (int round = 0; round < rounds / 4; ++round) {
        std::vector<std::unique_ptr<pair_of_sockets>> sockets;
        std::vector<int> mine;
        for (int i = 0; i < operations; ++i) {
            sockets.push_back(std::make_unique<pair_of_sockets>());
            mine.push_back(sockets.back()->take());
        }
        std::array<coex::inplace_stop_source, operations> sources;
        std::atomic<bool> begun{false};
        std::atomic<int> ended{0};
        const auto one = [](static_thread_pool& home, int descriptor, coex::inplace_stop_token token,
                            std::atomic<int>& count) -> task<> {
            static_cast<void>(co_await receive_or_stop(home, descriptor, token));
            count.fetch_add(1);
        };
        auto busy = pool.submit([&]() -> task<> {
            std::vector<task<>> all;
            for (std::size_t i = 0; i < operations; ++i) {
                all.push_back(one(pool, mine[i], sources[i].get_token(), ended));
            }
            all.push_back(tell_begun(begun));
            all.push_back(compute_until(ended, operations));
            co_await coex::when_all(std::move(all));
        });
        wait_for(begun);
        std::thread stopper([&] {
            for (std::size_t i = 0; i < operations; i += 2) sources[i].request_stop();
        });
        for (std::size_t i = 0; i < operations; ++i) {
            if (i % 4 != 0) sockets[i]->send("x");
            for (int k = 0; k < round % 8; ++k) std::this_thread::yield();
        }
        stopper.join();
        busy.get();
        EXPECT_EQ(ended.load(), operations);
    }
}

TEST_P(several_workers, a_pool_ends_while_its_workers_compute) {
    for (int round = 0; round < rounds / 5; ++round) {
        std::vector<std::unique_ptr<pair_of_sockets>> sockets;
        std::atomic<unsigned> begun{0};
        static_thread_pool pool{{.threads = GetParam()}};
        std::vector<coex::submission<void>> busy;
        const auto compute = [](std::atomic<unsigned>& count, unsigned yields) -> task<> {
            count.fetch_add(1);
            for (unsigned i = 0; i < yields; ++i) std::this_thread::yield();
            co_return;
        };
        const auto receive = [](static_thread_pool& home, int descriptor) -> task<> {
            coex::unix_stream peer(home, descriptor);
            std::array<std::byte, 1> byte{};
            co_await peer.read_some(byte);
        };
        for (unsigned i = 0; i < GetParam(); ++i) {
            sockets.push_back(std::make_unique<pair_of_sockets>());
            const int mine = sockets.back()->take();
            busy.push_back(pool.submit(
                [&, mine]() -> task<> { co_await coex::when_all(receive(pool, mine), compute(begun, 50)); }));
        }
        while (begun.load() != GetParam()) std::this_thread::yield();
    }
}

}  // namespace
