#pragma once

#include "io/socket_support.hpp"

#include <exec/algo/stopped_as.hpp>
#include <exec/algo/timeout.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/base/config.hpp>
#include <exec/io/incoming.hpp>
#include <exec/io/poll.hpp>
#include <exec/io/poll_sequence.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <span>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace coex_test::busy {

using coex::poll_events;
using coex::static_thread_pool;
using coex::task;
using std::chrono::microseconds;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;
constexpr std::size_t most_bytes = slow ? 150 : 600;  // to a session
constexpr int burst = 400;                            // waits that end at once
constexpr unsigned stops = 8;                         // of one session

/// Lets a worker compute until something has been done elsewhere, as long as another worker is free to do it.
class computations {
public:
    computations(unsigned workers, std::size_t sessions) : most_(workers - 1), unfinished_(sessions) {}

    void note_progress() noexcept { progress_.fetch_add(1); }
    void note_end() noexcept {
        unfinished_.fetch_sub(1);
        note_progress();
    }

    void compute() noexcept {
        if (computing_.fetch_add(1) < most_) {
            const std::size_t before = progress_.load();
            while (progress_.load() == before && unfinished_.load() > computing_.load()) std::this_thread::yield();
        }
        computing_.fetch_sub(1);
        note_progress();
    }

private:
    const unsigned most_;
    std::atomic<std::size_t> unfinished_;
    std::atomic<std::size_t> computing_{0};
    std::atomic<std::size_t> progress_{0};
};

/// What one task receives, and what the test's thread sends to it.
class session {
public:
    session(unsigned seed, computations& all) : random_(seed), all_(&all) {}
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    virtual ~session() = default;

    [[nodiscard]] virtual task<> run(static_thread_pool& pool) = 0;
    /// By the test's thread: sends something. False when all has been sent.
    [[nodiscard]] virtual bool send(std::minstd_rand& random) = 0;
    /// All that was sent has been received.
    virtual void check() {}

    /// By the test's thread, any number of times.
    void stop() {
        if (next_stop_ < stops) sources_[next_stop_++].request_stop();
    }
    void expect_ended_once() const { EXPECT_EQ(ended_.load(), begun_.load()) << "begun " << begun_.load() << " times"; }
    [[nodiscard]] int begun() const { return begun_.load(); }

protected:
    class presence {
    public:
        explicit presence(session& of) : of_(&of) { of.begun_.fetch_add(1); }
        presence(const presence&) = delete;
        presence& operator=(const presence&) = delete;
        ~presence() {
            of_->ended_.fetch_add(1);
            of_->all_->note_end();
        }

    private:
        session* of_;
    };

    /// The token of the next stop that the test's thread may ask for; nothing when it asks no more. So a session whose
    /// pool ends, which stops everything, does not try again for ever.
    [[nodiscard]] std::optional<coex::inplace_stop_token> next_token() {
        if (used_ == stops) return std::nullopt;
        return sources_[used_++].get_token();
    }
    void go_on() {
        all_->note_progress();
        if (random_() % 4 == 0) all_->compute();
    }
    [[nodiscard]] unsigned draw(unsigned end) { return static_cast<unsigned>(random_() % end); }

private:
    std::minstd_rand random_;  // OWNER: the task
    computations* all_;
    std::array<coex::inplace_stop_source, stops> sources_;
    unsigned next_stop_ = 0;  // OWNER: the test's thread
    unsigned used_ = 0;       // OWNER: the task
    std::atomic<int> begun_{0};
    std::atomic<int> ended_{0};
};

template <class Sender>
auto stopped_by(coex::inplace_stop_token token, Sender sender) {
    return coex::stopped_as_optional(coex::write_env(std::move(sender), coex::prop(coex::get_stop_token, token)));
}

/// A stream of bytes that tell their place.
class stream_session : public session {
public:
    stream_session(unsigned seed, computations& all) : session(seed, all), bytes_(1 + draw(most_bytes)) {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) != 0) std::abort();
    }
    ~stream_session() override {
        for (const int each : ends_) {
            if (each >= 0) ::close(each);
        }
    }
    bool send(std::minstd_rand& random) override {
        std::array<std::byte, 16> block{};
        const std::size_t count = std::min<std::size_t>(1 + random() % block.size(), bytes_ - sent_);
        for (std::size_t i = 0; i < count; ++i) block[i] = byte_at(sent_ + i);
        const ssize_t taken = ::send(ends_[1], block.data(), count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken > 0) sent_ += static_cast<std::size_t>(taken);
        if (sent_ != bytes_) return true;
        ::close(std::exchange(ends_[1], -1));
        return false;
    }
    void check() override { EXPECT_EQ(received_, bytes_); }

protected:
    [[nodiscard]] coex::unix_stream take_stream(static_thread_pool& pool) {
        return {pool, std::exchange(ends_[0], -1)};
    }
    void take(std::span<const std::byte> block) {
        for (const std::byte each : block) {
            if (each != byte_at(received_)) ADD_FAILURE() << "byte " << received_ << " is another one";
            ++received_;
        }
        go_on();
    }

private:
    static std::byte byte_at(std::size_t place) { return static_cast<std::byte>(place * 7 + place / 251); }

    const std::size_t bytes_;
    std::array<int, 2> ends_{};
    std::size_t sent_ = 0;      // OWNER: the test's thread
    std::size_t received_ = 0;  // OWNER: the task
};

/// A stop may hit a read before it, in it, or after it; what it has not taken the next one finds.
struct reading : stream_session {
    using stream_session::stream_session;
    task<> run(static_thread_pool& pool) override {
        const presence here(*this);
        coex::unix_stream peer = take_stream(pool);
        std::array<std::byte, 32> block{};
        for (;;) {
            std::optional<std::size_t> count;
            if (const auto token = next_token()) {
                auto read = stopped_by(*token, peer.read_some(block));
                count = co_await std::move(read);
            } else {
                count = co_await peer.read_some(block);
            }
            if (!count) continue;
            if (*count == 0) break;
            take(std::span(block).first(*count));
        }
    }
};

struct reading_for_a_time : stream_session {
    using stream_session::stream_session;
    task<> run(static_thread_pool& pool) override {
        const presence here(*this);
        coex::unix_stream peer = take_stream(pool);
        std::array<std::byte, 32> block{};
        for (;;) {
            std::size_t count = 0;
            try {
                const microseconds limit(draw(2000));
                count = co_await coex::timeout(peer.read_some(block), limit);
            } catch (const std::system_error& error) {
                if (error.code() != std::errc::timed_out) throw;
                go_on();
                continue;
            }
            if (count == 0) break;
            take(std::span(block).first(count));
        }
    }
};

/// By multishot receives, which share few buffers with all the others.
struct receiving : stream_session {
    receiving(unsigned seed, computations& all, const coex::receive_buffers& buffers)
        : stream_session(seed, all), buffers_(&buffers) {}
    task<> run(static_thread_pool& pool) override {
        const presence here(*this);
        coex::unix_stream peer = take_stream(pool);
        coex::incoming_options options;
        options.ahead = 1 + draw(8);
        coex::incoming_blocks incoming(peer, *buffers_, options);
        std::vector<coex::received_block> kept;
        for (;;) {
            std::optional<coex::received_block> block;
            if (const auto token = next_token()) {
                auto next = stopped_by(*token, incoming.next());
                auto answer = co_await std::move(next);
                if (!answer) continue;
                block = std::move(*answer);
            } else {
                block = co_await incoming.next();
            }
            if (!block) break;
            take(block->bytes());
            if (kept.size() == 3) kept.clear();
            kept.push_back(std::move(*block));
        }
    }

private:
    const coex::receive_buffers* buffers_;
};

/// A counter that is waited for.
class counter_session : public session {
public:
    using session::session;
    ~counter_session() override { ::close(event_); }
    bool send(std::minstd_rand& random) override {
        add(1 + random() % 3);
        return sent_ < most_bytes / 4;
    }
    void check() override { EXPECT_EQ(received_, sent_); }

protected:
    void add(std::uint64_t count) {
        if (::write(event_, &count, sizeof count) != ssize_t{sizeof count}) std::abort();
        sent_ += count;
    }
    /// False when all has been taken.
    [[nodiscard]] bool take() {
        for (std::uint64_t count = 0; ::read(event_, &count, sizeof count) == ssize_t{sizeof count};) {
            received_ += count;
        }
        go_on();
        return received_ < most_bytes / 4;
    }
    const int event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    std::uint64_t sent_ = 0;      // OWNER: the test's thread
    std::uint64_t received_ = 0;  // OWNER: the task
};

template <coex::poll_trigger Trigger>
struct polling_again : counter_session {
    using counter_session::counter_session;
    task<> run(static_thread_pool& pool) override {
        const presence here(*this);
        coex::poll_sequence ready(pool, event_, poll_events::readable, Trigger);
        do {
            if (const auto token = next_token()) {
                auto next = stopped_by(*token, ready.next());
                static_cast<void>(co_await std::move(next));
            } else {
                co_await ready.next();
            }
        } while (take());
    }
};

struct sleeping : session {
    using session::session;
    task<> run(static_thread_pool&) override {
        const presence here(*this);
        for (int i = 0; i < 30; ++i) {
            const microseconds time(draw(1000));
            if (const auto token = next_token()) {
                auto sleep = stopped_by(*token, nap(time));
                static_cast<void>(co_await std::move(sleep));
            } else {
                co_await nap(time);
            }
            go_on();
        }
    }
    static task<bool> nap(microseconds time) {
        co_await coex::sleep_for(time);
        co_return true;
    }
    bool send(std::minstd_rand&) override { return false; }
};

/// Many waits end at the same moment.
struct bursting : counter_session {
    using counter_session::counter_session;
    task<> run(static_thread_pool& pool) override {
        const presence here(*this);
        std::vector<task<>> all;
        for (int i = 0; i < burst; ++i) all.push_back(wait(pool));
        co_await coex::when_all(std::move(all));
        go_on();
    }
    task<> wait(static_thread_pool& pool) {
        waiting_.fetch_add(1);
        co_await coex::poll(pool, event_, poll_events::readable);
        over_.fetch_add(1);
    }
    bool send(std::minstd_rand&) override {
        if (waiting_.load() < burst) return true;
        add(1);
        return false;
    }
    void check() override { EXPECT_EQ(over_.load(), burst); }

private:
    std::atomic<int> waiting_{0};
    std::atomic<int> over_{0};
};

}  // namespace coex_test::busy
