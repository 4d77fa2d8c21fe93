#pragma once

#include "io/left_over.hpp"
#include "io/support.hpp"

#include <exec/algo/timeout.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace coex_test {

/// One operation that is to be stopped at any moment, with what it works on.
class subject {
public:
    explicit subject(coex::static_thread_pool& pool) noexcept : pool_(&pool) {}
    subject(const subject&) = delete;
    subject& operator=(const subject&) = delete;
    virtual ~subject() = default;

    [[nodiscard]] virtual coex::task<void> run() = 0;
    /// Lets a run that waits go on. Called once a round, on another thread, while it runs.
    virtual void complete() {}
    /// False: only `complete` ends it for sure.
    [[nodiscard]] virtual bool stops() const { return true; }
    /// After the run has ended: whether what its documentation promises has been kept.
    virtual void check(bool stopped) { static_cast<void>(stopped); }
    /// The same, with operations of the pool: not called when the pool has gone.
    virtual coex::task<void> check_by_pool(bool stopped) {
        static_cast<void>(stopped);
        co_return;
    }

    [[nodiscard]] coex::static_thread_pool& pool() const noexcept { return *pool_; }

private:
    coex::static_thread_pool* pool_;
};

struct kind_of_subject {
    const char* name;
    std::unique_ptr<subject> (*make)(coex::static_thread_pool& pool, const scratch_directory& scratch);
    int dearness = 1;                  ///< so many times fewer rounds
    void (*expect_at_rest)() = [] {};  ///< what must hold when nothing is in flight any more
};

template <class Subject>
std::unique_ptr<subject> make_subject(coex::static_thread_pool& pool, const scratch_directory& scratch) {
    return std::make_unique<Subject>(pool, scratch);
}

/// When the stop comes.
enum class moment : unsigned char {
    before,
    from_the_pool,
    in_flight,
    at_completion,
    after_completion,
    time_out,
    twice
};
constexpr unsigned moments = 7;

/// Counts what a run comes to.
struct outcome {
    std::atomic<int> begun{0};
    std::atomic<int> completed{0};
    std::atomic<int> left{0};
    std::atomic<bool> stopped_from_pool{false};
};

class leaving {
public:
    explicit leaving(outcome& of) noexcept : outcome_(&of) {}
    leaving(const leaving&) = delete;
    leaving& operator=(const leaving&) = delete;
    ~leaving() { outcome_->left.fetch_add(1); }

private:
    outcome* outcome_;
};

inline coex::task<void> drive(subject& what, coex::static_thread_pool* place, moment when,
                              coex::inplace_stop_source& stop, outcome& result, std::chrono::microseconds limit) {
    if (place != nullptr) co_await place->schedule();
    const leaving here(result);
    result.begun.store(1);
    result.begun.notify_all();
    // The worker that submits the operation finds the stop next in its queue.
    if (when == moment::from_the_pool) {
        what.pool().post([&stop, &result] {
            stop.request_stop();
            result.stopped_from_pool.store(true);
        });
    }
    if (when == moment::time_out) {
        coex::task<void> work = what.run();
        co_await coex::timeout(std::move(work), limit);
    } else {
        co_await what.run();
    }
    result.completed.fetch_add(1);
}

/// COEX_TORTURE_ROUNDS times the rounds of each kind.
inline int torture_rounds(int usual) {
    const char* const given = std::getenv("COEX_TORTURE_ROUNDS");
    return given == nullptr ? usual : std::max(1, std::atoi(given));
}

/// COEX_TORTURE_ONLY names the kind that is wanted, if not all are.
inline bool is_wanted(const kind_of_subject& kind) {
    const char* const only = std::getenv("COEX_TORTURE_ONLY");
    return only == nullptr || std::string_view(only) == kind.name;
}

/// Some microseconds at most, of the processor's time: to let others run would be a pause of any length on a busy
/// machine.
inline void pause_for(unsigned length) {
    constexpr unsigned longest = 12;
    std::atomic<unsigned> count{0};
    while (count.load() < 1U << (length % longest)) count.fetch_add(1);
}

/// A thread that does one thing after the other beside the test's own. To begin a new thread for each takes longer than
/// all the rest, under a sanitizer above all.
class second_thread {
public:
    second_thread() : thread_([this] { live(); }) {}
    second_thread(const second_thread&) = delete;
    second_thread& operator=(const second_thread&) = delete;
    ~second_thread() {
        begin({});
        thread_.join();
    }

    /// An empty function ends the thread.
    void begin(std::function<void()> work) {
        {
            const std::lock_guard lock(mutex_);
            work_ = std::move(work);
            is_busy_ = true;
        }
        changed_.notify_all();
    }
    /// Waits for what was begun.
    void finish() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !is_busy_; });
    }

private:
    void live() {
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return is_busy_; });
            const std::function<void()> work = std::exchange(work_, {});
            lock.unlock();
            if (!work) return;
            work();
            lock.lock();
            is_busy_ = false;
            lock.unlock();
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> work_;  // OWNER: mutex_
    bool is_busy_ = false;        // OWNER: mutex_
    std::thread thread_;          // last: it uses the others
};

class torturer {
public:
    explicit torturer(unsigned seed) : random_(seed) {}

    /// Stops `what` once, somehow. Returns whether it completed all the same.
    bool round(subject& what, coex::static_thread_pool& elsewhere) {
        const auto when = static_cast<moment>(random_() % moments);
        coex::static_thread_pool* const places[] = {nullptr, &what.pool(), &elsewhere};
        coex::static_thread_pool* const place = places[random_() % 3];
        const bool wait_for_begin = random_() % 4 != 0;
        const bool data_first = random_() % 2 == 0;
        const auto first_pause = static_cast<unsigned>(random_() % 100);
        const std::chrono::microseconds limit(random_() % 150);
        coex::inplace_stop_source stop;
        outcome result;
        if (when == moment::before) stop.request_stop();
        racer_.begin([&] {
            // A run that is stopped before it has arrived at its place never begins.
            if (wait_for_begin && when != moment::before) result.begun.wait(0);
            pause_for(first_pause);
            bool asked = true;
            if (when == moment::after_completion || (when == moment::at_completion && data_first)) {
                what.complete();
            } else if (when == moment::at_completion) {
                stop.request_stop();
                what.complete();
            } else if (when == moment::twice) {
                second_racer_.begin([&stop] { stop.request_stop(); });
                stop.request_stop();
                second_racer_.finish();
                asked = false;
            } else {
                asked = false;
            }
            if (when == moment::after_completion) pause_for(100 - first_pause);
            if (when != moment::time_out && when != moment::from_the_pool) stop.request_stop();
            if (!asked && !what.stops()) what.complete();
        });
        const bool finished = end_of(drive(what, place, when, stop, result, limit), stop);
        racer_.finish();
        while (when == moment::from_the_pool && !result.stopped_from_pool.load()) std::this_thread::yield();
        EXPECT_EQ(result.completed.load(), finished ? 1 : 0);
        EXPECT_LE(result.left.load(), 1);
        EXPECT_FALSE(when == moment::before && finished) << "a stop before the start never starts";
        EXPECT_EQ(result.left.load() == 1, finished || result.begun.load() != 0);
        coex::sync_wait(what.check_by_pool(!finished));
        what.check(!finished);
        return finished;
    }

    /// Begins what ends when the pool has gone. To be waited for by `finish_beside()`.
    void begin_beside(std::function<void()> work) { racer_.begin(std::move(work)); }
    void finish_beside() { racer_.finish(); }

    unsigned operator()() { return static_cast<unsigned>(random_()); }

private:
    /// Whether the task completed. What ran into its time limit was stopped, too.
    static bool end_of(coex::task<void> work, coex::inplace_stop_source& stop) {
        try {
            return coex::sync_wait(std::move(work), stop.get_token()).has_value();
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), std::errc::timed_out) << error.what();
            return false;
        }
    }

    std::minstd_rand random_;
    second_thread racer_;
    second_thread second_racer_;
};

/// Tells, when COEX_TORTURE_ROUNDS asks for many, how many rounds there were and how they ended.
class tally {
public:
    explicit tally(const char* kind) noexcept : kind_(kind) {}
    tally(const tally&) = delete;
    tally& operator=(const tally&) = delete;
    ~tally() {
        if (std::getenv("COEX_TORTURE_ROUNDS") == nullptr) return;
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_;
        std::printf("torture %-20s %8d rounds, %8d completed, %8d stopped, %6.1f s\n", kind_, completed_ + stopped_,
                    completed_, stopped_, taken.count());
        static_cast<void>(std::fflush(stdout));
    }
    void add(bool completed) noexcept { ++(completed ? completed_ : stopped_); }

private:
    const char* kind_;
    int completed_ = 0;
    int stopped_ = 0;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Stops each kind of operation at random moments; then destroys pools that have it in flight.
class torture : public on_both_roads {
protected:
    void stop_at_random(const std::vector<kind_of_subject>& kinds, int rounds) {
        const unsigned seed = std::random_device()();
        SCOPED_TRACE("seed " + std::to_string(seed));
        torturer random(seed);
        const std::size_t before = open_descriptors();
        {
            const scratch_directory scratch;
            coex::static_thread_pool elsewhere{{.threads = 1}};
            for (const kind_of_subject& kind : kinds) {
                if (!is_wanted(kind)) continue;
                SCOPED_TRACE(kind.name);
                tally counted(kind.name);
                int left = 1 + torture_rounds(rounds) / kind.dearness;
                while (left > 0 && !HasFailure()) {
                    coex::static_thread_pool pool{{.threads = 1 + random() % 2, .io_depth = random() % 3}};
                    for (int i = 0; i < rounds_of_a_pool && left > 0 && !HasFailure(); ++i, --left) {
                        counted.add(random.round(*kind.make(pool, scratch), elsewhere));
                    }
                    expect_nothing_left(pool, kind);
                }
            }
        }
        EXPECT_EQ(open_descriptors(), before) << "of all that was opened, something is still open";
    }

    void destroy_under_it(const std::vector<kind_of_subject>& kinds, int rounds) {
        const unsigned seed = std::random_device()();
        SCOPED_TRACE("seed " + std::to_string(seed));
        torturer random(seed);
        const std::size_t before = open_descriptors();
        {
            const scratch_directory scratch;
            for (const kind_of_subject& kind : kinds) {
                if (!is_wanted(kind)) continue;
                SCOPED_TRACE(kind.name);
                tally counted(kind.name);
                for (int i = 0; i < 1 + torture_rounds(rounds) / kind.dearness && !HasFailure(); ++i) {
                    counted.add(destroy_once(kind, scratch, random));
                }
                kind.expect_at_rest();
            }
            lent_buffer::expect_all_back();
            EXPECT_EQ(ring_entries::of_process().rings, 0U) << "a ring outlives its pool";
        }
        EXPECT_EQ(open_descriptors(), before) << "of all that was opened, something is still open";
    }

private:
    static constexpr int rounds_of_a_pool = 64;

    /// The rounds so far have left no operation, no entry of a ring and no buffer with the backend.
    static void expect_nothing_left(coex::static_thread_pool& pool, const kind_of_subject& kind) {
        expect_nothing_in_flight(pool);
        lent_buffer::expect_all_back();
        kind.expect_at_rest();
    }

    /// Returns whether what was in flight completed.
    static bool destroy_once(const kind_of_subject& kind, const scratch_directory& scratch, torturer& random) {
        outcome result;
        coex::inplace_stop_source never;
        std::optional<coex::static_thread_pool> pool(
            std::in_place, coex::pool_options{.threads = 1 + random() % 2, .io_depth = random() % 3});
        const std::unique_ptr<subject> what = kind.make(*pool, scratch);
        std::optional<bool> finished;
        random.begin_beside([&] {
            coex::task<void> work = drive(*what, &*pool, moment::in_flight, never, result, {});
            finished = coex::sync_wait(std::move(work)).has_value();
        });
        result.begun.wait(0);
        pause_for(random());
        if (!what->stops()) what->complete();
        pool.reset();
        random.finish_beside();
        EXPECT_EQ(result.completed.load(), *finished ? 1 : 0);
        EXPECT_EQ(result.left.load(), 1);
        what->check(!*finished);
        return *finished;
    }
};

}  // namespace coex_test
