#include "pool/spare_stack.hpp"

#include <exec/coro/coroutine_base.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>
#include <thread>

namespace {

using coex::detail::call_on_spare_stack;
using coex::detail::stack_is_deep;

struct what_is_seen {
    std::byte* place = nullptr;
    std::thread::id thread;
    bool deep = true;
    int depth = 0;
    bool caught = false;
};

TEST(spare_stack, smoke_a_function_runs_elsewhere_on_the_same_thread) {
    what_is_seen seen;
    ASSERT_TRUE(call_on_spare_stack(
        [](void* argument) noexcept {
            auto& here = *static_cast<what_is_seen*>(argument);
            here.place = static_cast<std::byte*>(__builtin_frame_address(0));
            here.thread = std::this_thread::get_id();
            here.deep = stack_is_deep();
        },
        &seen));
    EXPECT_EQ(seen.thread, std::this_thread::get_id());
    EXPECT_FALSE(seen.deep);
    constexpr std::ptrdiff_t a_stack = 128 * 1024;
    const std::ptrdiff_t distance = seen.place - static_cast<std::byte*>(__builtin_frame_address(0));
    EXPECT_TRUE(distance > a_stack || distance < -a_stack);
}

TEST(spare_stack, an_exception_may_be_thrown_and_caught_on_it) {
    what_is_seen seen;
    ASSERT_TRUE(call_on_spare_stack(
        [](void* argument) noexcept {
            try {
                throw std::runtime_error("boom");
            } catch (const std::runtime_error&) {
                static_cast<what_is_seen*>(argument)->caught = true;
            }
        },
        &seen));
    EXPECT_TRUE(seen.caught);
    EXPECT_THROW(throw std::runtime_error("boom"), std::runtime_error) << "as ever, back on the thread's own stack";
}

void go_deeper(void* argument) noexcept {
    auto& seen = *static_cast<what_is_seen*>(argument);
    if (++seen.depth == 100) return;
    EXPECT_TRUE(call_on_spare_stack(&go_deeper, argument));
}

TEST(spare_stack, one_may_follow_another) {
    what_is_seen seen;
    ASSERT_TRUE(call_on_spare_stack(&go_deeper, &seen));
    EXPECT_EQ(seen.depth, 100);
}

}  // namespace
