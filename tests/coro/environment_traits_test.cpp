#include <exec/coro/environment_traits.hpp>

#include "coro/support.hpp"

#include <exec/coro/environment_task.hpp>
#include <exec/coro/sync_wait.hpp>

#include <gtest/gtest.h>

namespace {

using coex::task;
using coex_test::counted;

template <class Env>
struct failing_to_keep {
    explicit failing_to_keep(const Env&) { throw 1; }
};
struct with_failing_env_type {
    template <class Env>
    using env_type = failing_to_keep<Env>;
};
struct failing {
    failing() { throw 2; }
};

template <class Environment>
task<void, Environment> take(counted) {
    co_return;
}

template <class Environment>
void run() {
    static_cast<void>(coex::sync_wait(take<Environment>(counted(1))));
}

TEST(environment_traits, what_making_the_environment_throws_leaves_connect_and_the_task_is_destroyed) {
    EXPECT_THROW(run<with_failing_env_type>(), int);
    EXPECT_EQ(counted::live, 0);
    EXPECT_THROW(run<failing>(), int);
    EXPECT_EQ(counted::live, 0);
}

}  // namespace
