#include "support/forbid_io_uring.hpp"

#include <exec/io/backend_kind.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace {

/// For a child process.
void forbid_io_uring(unsigned error) {
    if (coex::testing_support::forbid_io_uring(error)) return;
    std::fprintf(stderr, "cannot set the filter\n");
    std::exit(3);
}

/// Chooses the backend in a child process and prints what came of it.
[[noreturn]] void choose_and_exit(const char* variable) {
    if (variable == nullptr) {
        ::unsetenv("COEX_IO");
    } else {
        ::setenv("COEX_IO", variable, 1);
    }
    try {
        std::fprintf(stderr, "chosen: %s\n", coex::to_string(coex::active_io_backend()).c_str());
        static_cast<void>(coex::active_io_backend());
        std::exit(0);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "refused: %s\n", error.what());
        std::exit(1);
    }
}

class backend_kind : public ::testing::Test {
protected:
    void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(backend_kind, a_forced_backend_is_used) {
    EXPECT_EXIT(choose_and_exit("fallback"), ::testing::ExitedWithCode(0), "^chosen: fallback\n$");
}

TEST_F(backend_kind, nonsense_is_refused_with_its_cure) {
    EXPECT_EXIT(choose_and_exit("nonsense"), ::testing::ExitedWithCode(1),
                "COEX_IO=\"nonsense\" is not a backend: set io_uring or fallback");
}

TEST_F(backend_kind, without_io_uring_helper_threads_are_used_and_the_reason_is_said) {
    for (const unsigned error : {EPERM, ENOSYS}) {
        EXPECT_EXIT(
            {
                forbid_io_uring(error);
                choose_and_exit(nullptr);
            },
            ::testing::ExitedWithCode(0), "cannot be used .io_uring_setup: .*seccomp.*\nchosen: fallback\n$");
    }
}

TEST_F(backend_kind, io_uring_that_was_asked_for_and_is_missing_is_an_error) {
    EXPECT_EXIT(
        {
            forbid_io_uring(EPERM);
            choose_and_exit("io_uring");
        },
        ::testing::ExitedWithCode(1), "refused: COEX_IO=io_uring, but io_uring cannot be used: .*COEX_IO=fallback");
}

}  // namespace
