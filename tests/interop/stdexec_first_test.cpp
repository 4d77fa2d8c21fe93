// The headers of stdexec before those of coex.
#include <stdexec/execution.hpp>

#include <exec/interop/stdexec_adaptors.hpp>
#include <exec/interop/stdexec_scheduler.hpp>

#include <exec/exec.hpp>

#include <gtest/gtest.h>

#include <tuple>

namespace {

TEST(stdexec_first, both_libraries_can_be_included_in_either_order) {
    const auto value =
        stdexec::sync_wait(coex::interop::as_stdexec(coex::just(1)) | stdexec::then([](int one) { return one + 1; }));
    EXPECT_EQ(std::get<0>(*value), 2);
}

}  // namespace
