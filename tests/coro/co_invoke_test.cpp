#include <exec/coro/co_invoke.hpp>

#include "coro/manual_context.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using coex::co_invoke;
using coex::task;

TEST(co_invoke, keeps_the_captures_of_a_lambda_alive_until_its_task_has_ended) {
    auto owned = std::make_shared<std::string>("captured");
    {
        task<std::string> later = co_invoke([owned]() -> task<std::string> { co_return *owned; });
        EXPECT_EQ(owned.use_count(), 2) << "the lambda itself is gone, its copy is not";
        EXPECT_EQ(coex::block_on(std::move(later)), "captured");
    }
    EXPECT_EQ(owned.use_count(), 1);
}

TEST(co_invoke, keeps_its_arguments_too) {
    auto pointer = std::make_unique<int>(3);
    auto later = co_invoke([](std::unique_ptr<int> value, int factor) -> task<int> { co_return *value* factor; },
                           std::move(pointer), 5);
    EXPECT_EQ(coex::block_on(std::move(later)), 15);
}

TEST(co_invoke, calls_nothing_before_it_is_awaited) {
    bool called = false;
    {
        const auto unused = co_invoke([&called]() -> task<void> {
            called = true;
            co_return;
        });
    }
    EXPECT_FALSE(called);
}

TEST(co_invoke, throws_what_the_task_throws) {
    auto fails = co_invoke([]() -> task<void> {
        throw std::runtime_error("no");
        co_return;
    });
    EXPECT_THROW(coex::block_on(std::move(fails)), std::runtime_error);
}

}  // namespace
