#pragma once

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/stop_token.hpp>

#include <atomic>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace coex_test {

/// Runs tasks on `pool` beside the calling thread, which goes on; `join()` waits for them.
class background {
public:
    background(coex::static_thread_pool& pool, std::vector<coex::task<>> tasks, coex::inplace_stop_token token = {})
        : thread_([this, &pool, tasks = std::move(tasks), token]() mutable {
              ended_ = !stops([&] { coex::block_on(run(pool, std::move(tasks)), token); });
          }) {}
    background(const background&) = delete;
    background& operator=(const background&) = delete;
    ~background() {
        if (thread_.joinable()) thread_.join();
    }

    /// Returns false when the tasks were stopped.
    bool join() {
        thread_.join();
        return ended_;
    }

    /// True when `function` threw that it was stopped.
    template <class Function>
    static bool stops(Function function) {
        try {
            function();
            return false;
        } catch (const std::system_error& error) {
            return error.code() == std::errc::operation_canceled;
        }
    }

private:
    static coex::task<> run(coex::static_thread_pool& pool, std::vector<coex::task<>> tasks) {
        co_await pool.schedule();
        co_await coex::when_all(std::move(tasks));
    }

    bool ended_ = false;
    std::thread thread_;
};

inline void wait_until(const std::atomic<int>& counter, int value) {
    while (counter.load() != value) std::this_thread::yield();
}

}  // namespace coex_test
