#include <exec/base/config.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/priority.hpp>
#include <exec/vocab/result.hpp>
#include <exec/vocab/stop_token.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::inplace_stop_source;
using coex::priority;
using coex::static_thread_pool;
using coex::submission;

constexpr std::size_t posters = 4;
constexpr std::size_t tasks_each = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 5'000 : 250'000;

// One task in so many blocks its worker for a while, so that a pool that may grow does.
constexpr std::size_t blocks_in = tasks_each / 25;

/// What is to be of each task, and what was.
struct ledger {
    std::vector<std::atomic<unsigned char>> calls = std::vector<std::atomic<unsigned char>>(posters * tasks_each);
    std::vector<unsigned char> expected = std::vector<unsigned char>(posters * tasks_each);
    std::atomic<std::size_t> refused{0};
    std::atomic<std::size_t> stopped{0};
    std::atomic<std::size_t> thrown{0};   // by posted functions
    std::atomic<std::size_t> handled{0};  // of these, by the pool's handler
};

/// Gives tasks of all kinds to a pool.
class poster {
public:
    poster(static_thread_pool& pool, ledger& book, std::size_t number)
        : pool_(pool), book_(book), random_(static_cast<unsigned>(number)), next_(number * tasks_each) {}

    void run() {
        for (std::size_t i = 0; i < tasks_each; ++i) give(next_++);
        for (auto& [task, handle] : waiting_) settle(task, handle);
    }

private:
    struct given {
        std::size_t task;
        submission<void> handle;
    };

    void give(std::size_t task) {
        const auto call = [&book = book_, task] {
            book.calls[task].fetch_add(1);
            if (task % blocks_in == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        };
        const auto level = static_cast<priority>(random_() % 3);
        book_.expected[task] = 1;
        switch (random_() % 8) {
            case 0:
                book_.thrown.fetch_add(1);
                pool_.post(level, [call] {
                    call();
                    throw std::runtime_error("posted");
                });
                break;
            case 1:
                if (!pool_.try_post(level, call)) {
                    book_.expected[task] = 0;
                    book_.refused.fetch_add(1);
                }
                break;
            case 2:
                keep(task, pool_.submit(level, call, source_.get_token()));
                break;
            case 3:
                keep(task, pool_.submit(level, [call] {
                    call();
                    throw std::runtime_error("submitted");
                }));
                if (!waiting_.empty()) waiting_[random_() % waiting_.size()].handle.request_stop();
                break;
            case 4:
                pool_.post([&pool = pool_, call] { pool.post(call); });  // on a worker, perhaps of a full pool
                break;
            default:
                pool_.post(level, call);
        }
    }

    void keep(std::size_t task, submission<void> handle) {
        waiting_.push_back({task, std::move(handle)});
        if (waiting_.size() < 64) return;
        if (random_() % 4 == 0) waiting_[random_() % 64].handle.request_stop();
        for (auto& [kept, taken] : waiting_) settle(kept, taken);
        waiting_.clear();
    }

    void settle(std::size_t task, submission<void>& handle) {
        if (!handle.get_result().was_stopped()) return;
        book_.expected[task] = 0;
        book_.stopped.fetch_add(1);
    }

    static_thread_pool& pool_;
    ledger& book_;
    std::minstd_rand random_;
    std::size_t next_;
    inplace_stop_source source_;
    std::vector<given> waiting_;
};

void run_all(coex::pool_options options) {
    ledger book;
    options.on_exception = [&book](std::exception_ptr) { book.handled.fetch_add(1); };
    {
        static_thread_pool pool(std::move(options));
        std::deque<poster> all;
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < posters; ++i) {
            poster& each = all.emplace_back(pool, book, i);
            threads.emplace_back([&each] { each.run(); });
        }
        for (std::thread& each : threads) each.join();
    }
    for (std::size_t i = 0; i < book.calls.size(); ++i)
        ASSERT_EQ(book.calls[i].load(), book.expected[i]) << "task " << i;
    EXPECT_EQ(book.handled.load(), book.thrown.load());
    EXPECT_GT(book.refused.load(), 0U);
    EXPECT_GT(book.stopped.load(), 0U);
}

TEST(bounded_stress, a_million_tasks_are_cancelled_throw_or_are_refused_and_each_runs_as_often_as_it_should) {
    run_all({.threads = 2, .queue_limit = 32});
}

TEST(bounded_stress, the_same_in_a_pool_whose_workers_come_and_go) {
    std::atomic<int> started{0};
    run_all({.threads = 1,
             .max_threads = 4,
             .keep_alive = std::chrono::milliseconds(1),
             .queue_limit = 32,
             .on_thread_start = [&started](unsigned) { started.fetch_add(1); }});
    EXPECT_GT(started.load(), 1);
}

}  // namespace
