// without_io_uring PROGRAM [ARGUMENT...]: becomes the program, in a process where a seccomp filter forbids io_uring,
// and where nothing says which backend to use.

#include "support/forbid_io_uring.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int count, char** arguments) {
    if (count < 2) {
        std::fprintf(stderr, "usage: without_io_uring PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    if (!coex::testing_support::forbid_io_uring()) {
        std::perror("without_io_uring: cannot set a seccomp filter");
        return 77;  // for Meson: skipped
    }
    ::unsetenv("COEX_IO");
    ::execv(arguments[1], arguments + 1);
    std::perror(arguments[1]);
    return 127;
}
