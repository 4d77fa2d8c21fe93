#include <exec/io/poll_sequence.hpp>

#include "io/left_over.hpp"
#include "io/socket_support.hpp"

#include <exec/algo/timeout.hpp>
#include <exec/io/poll.hpp>

#include <fcntl.h>
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::poll_events;
using coex::poll_sequence;
using coex::poll_trigger;
using coex::static_thread_pool;
using coex::sync_wait;
using coex::task;
using coex_test::failure_of;
using coex_test::run_on;

task<poll_events> next_of(poll_sequence& sequence) {
    co_return co_await sequence.next();
}

task<void> tell(std::atomic<bool>& begun) {
    begun.store(true);
    co_return;
}
/// Tells once it waits: `when_all` starts the second when the first has suspended.
task<poll_events> next_and_tell(poll_sequence& sequence, std::atomic<bool>& begun) {
    const auto result = co_await coex::when_all(next_of(sequence), tell(begun));
    co_return std::get<0>(result);
}

/// A pipe whose reading end is watched: without O_NONBLOCK a read of what is not there would hang the test.
class poll_sequences : public ::testing::TestWithParam<poll_trigger> {
protected:
    poll_sequences() {
        if (::pipe2(ends.data(), O_NONBLOCK) != 0) std::abort();
    }
    ~poll_sequences() override {
        coex_test::expect_nothing_in_flight(pool);
        for (const int end : ends) {
            if (end >= 0) ::close(end);
        }
    }
    void write_byte() const { EXPECT_EQ(::write(ends[1], "x", 1), 1); }
    /// Returns how many bytes there were.
    [[nodiscard]] std::size_t drain() const {
        std::size_t all = 0;
        std::array<char, 64> block{};
        for (ssize_t count = 0; (count = ::read(ends[0], block.data(), block.size())) > 0;) {
            all += static_cast<std::size_t>(count);
        }
        return all;
    }
    /// Whether the next one is there already, or comes only with a byte that is written once somebody waits for it.
    bool waits(poll_sequence& sequence) {
        coex::inplace_stop_source stop;
        std::atomic<bool> begun{false};
        std::thread stopper([&] {
            while (!begun.load()) std::this_thread::yield();
            stop.request_stop();
        });
        const bool found = sync_wait(next_and_tell(sequence, begun), stop.get_token()).has_value();
        stopper.join();
        return !found;
    }

    std::array<int, 2> ends{};
    static_thread_pool pool{{.threads = 2}};
};

TEST_P(poll_sequences, tells_of_what_is_there_at_the_beginning) {
    write_byte();
    poll_sequence sequence(pool, ends[0], poll_events::readable, GetParam());
    EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
}

TEST_P(poll_sequences, tells_again_and_again_of_what_comes) {
    poll_sequence sequence(pool, ends[0], poll_events::readable, GetParam());
    for (int i = 0; i < 200; ++i) {
        auto pending = pool.submit([this] { write_byte(); });
        EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
        pending.get();
        EXPECT_EQ(drain(), 1U);
    }
}

TEST_P(poll_sequences, what_others_have_taken_since_is_not_waited_for_in_vain) {
    poll_sequence sequence(pool, ends[0], poll_events::readable, GetParam());
    for (int i = 0; i < 50; ++i) {
        for (int j = 0; j < 40; ++j) {  // more than are kept
            write_byte();
            EXPECT_EQ(drain(), 1U);
        }
        if (GetParam() == poll_trigger::level) {
            EXPECT_TRUE(waits(sequence));
        }
        write_byte();
        EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
        EXPECT_EQ(drain(), 1U);
    }
}

TEST_P(poll_sequences, only_the_level_tells_twice_of_the_same) {
    poll_sequence sequence(pool, ends[0], poll_events::readable, GetParam());
    write_byte();
    EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
    if (GetParam() == poll_trigger::level) {
        EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
    } else {
        EXPECT_TRUE(waits(sequence));
    }
}

TEST_P(poll_sequences, an_edge_is_told_of_though_what_came_before_is_still_there) {
    poll_sequence sequence(pool, ends[0], poll_events::readable, GetParam());
    write_byte();
    EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
    for (int i = 0; i < 50; ++i) {
        write_byte();
        EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
    }
    EXPECT_EQ(drain(), 51U);
}

TEST_P(poll_sequences, tells_of_a_peer_that_hung_up_unasked) {
    poll_sequence sequence(pool, ends[0], poll_events::readable, GetParam());
    EXPECT_TRUE(waits(sequence));
    ::close(std::exchange(ends[1], -1));
    EXPECT_TRUE(has(run_on(pool, next_of(sequence)), poll_events::hang_up));
}

TEST_P(poll_sequences, every_one_of_many_that_watch_the_same_is_told) {
    std::vector<std::unique_ptr<poll_sequence>> sequences;
    std::vector<task<poll_events>> waiting;
    for (int i = 0; i < 50; ++i) {
        sequences.push_back(std::make_unique<poll_sequence>(pool, ends[0], poll_events::readable, GetParam()));
        waiting.push_back(sequences.back()->next());
    }
    auto pending = pool.submit([this] { write_byte(); });
    EXPECT_EQ(run_on(pool, coex::when_all(std::move(waiting))), std::vector<poll_events>(50, poll_events::readable));
    pending.get();
}

// Whoever waits and whoever writes meet at any moment: none of the bytes may stay unseen.
TEST_P(poll_sequences, no_byte_stays_unseen_whenever_the_wait_is_cancelled) {
    poll_sequence sequence(pool, ends[0], poll_events::readable, GetParam());
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    for (int round = 0; round < 500; ++round) {
        coex::inplace_stop_source stop;
        std::thread other([&, first = random() % 4, pauses = random() % 6] {
            if (first != 0) write_byte();
            for (std::uint_fast32_t i = 0; i < pauses; ++i) std::this_thread::yield();
            stop.request_stop();
            if (first == 0) write_byte();
        });
        const bool told = sync_wait(next_of(sequence), stop.get_token()).has_value();
        if (told) static_cast<void>(drain());
        other.join();
        if (told) continue;
        // A byte has been written in any case, and nobody has been told of it.
        EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
        static_cast<void>(drain());
    }
}

TEST_P(poll_sequences, a_pool_that_is_destroyed_ends_the_wait) {
    for (int round = 0; round < 50; ++round) {
        auto mine = std::make_unique<static_thread_pool>(coex::pool_options{.threads = 2});
        poll_sequence sequence(*mine, ends[0], poll_events::readable, GetParam());
        std::atomic<bool> begun{false};
        std::thread waiting([&] { EXPECT_FALSE(sync_wait(next_and_tell(sequence, begun)).has_value()); });
        while (!begun.load()) std::this_thread::yield();
        mine.reset();
        waiting.join();
    }
}

TEST_P(poll_sequences, keeps_no_slot_of_the_io_depth_while_nobody_waits_for_it) {
    static_thread_pool narrow{{.threads = 1, .io_depth = 1}};
    poll_sequence sequence(narrow, ends[0], poll_events::readable, GetParam());
    EXPECT_TRUE(waits(sequence));
    write_byte();
    const auto other = [&]() -> task<poll_events> {
        co_return co_await coex::timeout(coex::poll(narrow, ends[0], poll_events::readable), std::chrono::seconds(20));
    };
    EXPECT_EQ(run_on(narrow, other()), poll_events::readable);
}

TEST_P(poll_sequences, one_that_goes_or_is_assigned_another_leaves_nothing_behind) {
    const std::size_t before = coex_test::open_descriptors();
    const int other = ::eventfd(0, EFD_CLOEXEC);
    for (int i = 0; i < 20; ++i) {
        poll_sequence sequence(pool, ends[0], poll_events::readable, GetParam());
        EXPECT_TRUE(waits(sequence));
        sequence = poll_sequence(pool, other, poll_events::readable, GetParam());
        const std::uint64_t one = 1;
        EXPECT_EQ(::write(other, &one, sizeof one), static_cast<ssize_t>(sizeof one));
        EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
        std::uint64_t count = 0;
        EXPECT_EQ(::read(other, &count, sizeof count), static_cast<ssize_t>(sizeof count));
    }
    ::close(other);
    coex_test::expect_nothing_in_flight(pool);
    EXPECT_LE(coex_test::open_descriptors(), before + coex_test::most_of_a_backend);
}

task<poll_events> make_and_wait(static_thread_pool& pool, int descriptor, poll_trigger trigger) {
    poll_sequence sequence(pool, descriptor, poll_events::readable, trigger);
    co_return co_await sequence.next();
}

TEST_P(poll_sequences, a_closed_descriptor_is_an_error_that_names_it) {
    // So high that nothing of the pool gets the number meanwhile.
    const int closed = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 500);
    ::close(closed);
    const auto [code, text] = failure_of(pool, make_and_wait(pool, closed, GetParam()));
    EXPECT_EQ(code, std::errc::bad_file_descriptor);
    EXPECT_NE(text.find("poll descriptor " + std::to_string(closed)), std::string::npos) << text;
}

TEST_P(poll_sequences, a_file_is_always_ready) {
    const coex_test::scratch_directory scratch;
    const int file = ::open(scratch.write("file", "text").c_str(), O_RDONLY | O_CLOEXEC);
    poll_sequence sequence(pool, file, poll_events::readable, GetParam());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(run_on(pool, next_of(sequence)), poll_events::readable);
    ::close(file);
}

std::string trigger_name(const ::testing::TestParamInfo<poll_trigger>& of) {
    return of.param == poll_trigger::level ? "level" : "edge";
}

INSTANTIATE_TEST_SUITE_P(triggers, poll_sequences, ::testing::Values(poll_trigger::level, poll_trigger::edge),
                         trigger_name);

}  // namespace
