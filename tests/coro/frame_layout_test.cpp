#include <exec/coro/frame_layout.hpp>

#include <exec/coro/block_on.hpp>
#include <exec/coro/task.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace {

using coex::block_on;
using coex::task;

// What awaits in these conditions declares no variable, in a body that declares none either: the shape that g++ 12
// breaks. Whatever makes the compiler keep a variable, as a macro of the test's framework, would hide it.
task<int> next(int& left) {
    co_return left > 0 ? left-- : 0;
}

task<int> in_an_if(int& left) {
    if (co_await next(left) > 0) co_return 1;
    co_return 0;
}
task<> in_a_while(int& left) {
    while (co_await next(left) > 0) {
    }
}
task<> in_a_for(int& left) {
    for (; co_await next(left) > 0;) {
    }
}
task<int> in_a_switch(int& left) {
    switch (co_await next(left)) {
        case 3:
            co_return 1;
        default:
            co_return 0;
    }
}

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12

TEST(frame_layout, a_task_whose_frame_the_compiler_breaks_is_refused_with_the_remedy) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    int left = 3;
    const char* const remedy = "name the condition";
    EXPECT_DEATH(static_cast<void>(in_an_if(left)), remedy);
    EXPECT_DEATH(static_cast<void>(in_a_while(left)), remedy);
    EXPECT_DEATH(static_cast<void>(in_a_for(left)), remedy);
    EXPECT_DEATH(static_cast<void>(in_a_switch(left)), remedy);
}

#else

TEST(frame_layout, an_await_in_a_condition_works_in_a_task_without_variables) {
    int left = 3;
    EXPECT_EQ(block_on(in_a_switch(left)), 1);
    EXPECT_EQ(block_on(in_an_if(left)), 1);
    block_on(in_a_while(left));
    EXPECT_EQ(left, 0);
    left = 3;
    block_on(in_a_for(left));
    EXPECT_EQ(left, 0);
}

#endif

task<int> named_in_an_if(int& left) {
    const bool more = co_await next(left) > 0;
    if (more) co_return 1;
    co_return 0;
}
task<> named_in_a_loop(int& left) {
    for (;;) {
        const bool more = co_await next(left) > 0;
        if (!more) co_return;
    }
}
task<> declared_in_the_condition(int& left) {
    while (const int each = co_await next(left)) static_cast<void>(each);
}
task<int> named_in_a_switch(int& left) {
    const int which = co_await next(left);
    switch (which) {
        case 3:
            co_return 1;
        default:
            co_return 0;
    }
}

TEST(frame_layout, a_named_condition_works_with_every_compiler) {
    int left = 3;
    EXPECT_EQ(block_on(named_in_a_switch(left)), 1);
    EXPECT_EQ(block_on(named_in_an_if(left)), 1);
    block_on(named_in_a_loop(left));
    EXPECT_EQ(left, 0);
    left = 3;
    block_on(declared_in_the_condition(left));
    EXPECT_EQ(left, 0);
}

}  // namespace
