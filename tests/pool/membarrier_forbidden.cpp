// Linked with the tests of forking, this runs them in a process where membarrier(2) is forbidden.

#include "support/forbid_membarrier.hpp"

#include <exec/base/process_wide_barrier.hpp>

#include <gtest/gtest.h>

namespace {

const bool forbidden = coex::testing_support::forbid_membarrier();  // before the first pool

TEST(membarrier_forbidden, is_noticed) {
    if (!forbidden) GTEST_SKIP() << "seccomp filters are not available";
    EXPECT_FALSE(coex::detail::has_process_wide_barrier());
    EXPECT_FALSE(coex::detail::process_wide_barrier());
}

}  // namespace
