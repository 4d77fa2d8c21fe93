#pragma once

// g++ 12 destroys twice any temporary that aggregate initialisation makes inside a full-expression with a co_await (a
// lambda with a non-trivial capture, `options{...}`, a class-type ?:). coex's own types must therefore never be such
// temporaries. Each shape here is one that users are told is safe: every object in it must be destroyed exactly once,
// whether the await completes at once, later, with an error, or never because the task was stopped.

#include "coro/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/io/timer.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace coex_test {

using coex::task;

enum class ending : unsigned char { at_once, later, on_pool, error, stopped };

struct await_shapes : testing::TestWithParam<ending> {
    coex::static_thread_pool pool{coex::pool_options{.name = "shapes", .threads = 1}};

    task<> end() {
        switch (GetParam()) {
            case ending::at_once:
                break;
            case ending::later:
                co_await coex::sleep_for(std::chrono::microseconds(10));
                break;
            case ending::on_pool:
                co_await pool.schedule();
                break;
            case ending::error:
                throw std::runtime_error("error");
            case ending::stopped:
                co_await coex::sleep_for(std::chrono::hours(1));
                break;
        }
    }
    task<counted> plain() {
        co_await end();
        co_return counted(1);
    }
    task<counted> by_value(counted argument) {
        co_await end();
        co_return argument;
    }
    task<counted> by_reference(const counted& argument) {
        co_await end();
        co_return argument;
    }
    task<counted> by_rvalue(counted&& argument) {
        co_await end();
        co_return std::move(argument);
    }
    task<int> text(std::string argument) {
        co_await end();
        co_return static_cast<int>(argument.size());
    }
    task<int> pointer(std::unique_ptr<counted> argument) {
        co_await end();
        co_return argument->value;
    }
    task<int> call(std::function<int()> function) {
        co_await end();
        co_return function();
    }
    task<bool> truth(bool value) {
        co_await end();
        co_return value;
    }

    /// Runs `shape` to each of its endings; nothing must be left, and nothing destroyed twice.
    template <class Shape>
    void run(const Shape& shape) {
        coex::inplace_stop_source source;
        if (GetParam() == ending::stopped) source.request_stop();
        try {
            const bool completed = coex::sync_wait(shape(), source.get_token()).has_value();
            EXPECT_EQ(completed, GetParam() != ending::stopped);
        } catch (const std::runtime_error&) {
            EXPECT_EQ(GetParam(), ending::error);
        }
        pool.submit([] {}).get();  // the only worker has let go of what earlier functions returned
        EXPECT_EQ(counted::live, 0);
    }
};

[[nodiscard]] inline auto all_endings() {
    return testing::Values(ending::at_once, ending::later, ending::on_pool, ending::error, ending::stopped);
}

}  // namespace coex_test
