// Both façades in one file, stdexec's headers first.
#include <stdexec/execution.hpp>

#include <exec/interop/stdexec_adaptors.hpp>

#include <exec/interop/std_adaptors.hpp>

#include <exec/exec.hpp>

#include <execution>

#include <gtest/gtest.h>

#include <tuple>
#include <type_traits>

namespace {

static_assert(!std::is_same_v<coex::interop::std_scheduler, coex::interop::stdexec_scheduler>);

TEST(both_facades, can_be_used_in_one_file) {
    coex::static_thread_pool pool(coex::pool_options{.name = "both", .threads = 1});
    const auto on_pool = [&pool] { return pool.this_thread_index().has_value(); };
    const auto scheduler = pool.get_scheduler();
    EXPECT_TRUE(std::get<0>(
        *stdexec::sync_wait(stdexec::schedule(coex::interop::as_stdexec(scheduler)) | stdexec::then(on_pool))));
    EXPECT_TRUE(std::get<0>(*std::this_thread::sync_wait(std::execution::schedule(coex::interop::as_std(scheduler)) |
                                                         std::execution::then(on_pool))));
}

}  // namespace
