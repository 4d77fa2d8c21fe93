#include <exec/io/backend_kind.hpp>

#include <gtest/gtest.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace {

/// Forbids io_uring_setup as a container's filter does. For a child process.
void forbid_io_uring(unsigned error) {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{sizeof program / sizeof program[0], program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        std::fprintf(stderr, "cannot set the filter\n");
        std::exit(3);
    }
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
