#pragma once

#include <pthread.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace coex_test {

/// How many threads of this process carry a name that begins so.
inline std::size_t threads_named(const std::string& beginning) {
    std::size_t count = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc/self/task", error), end; !error && at != end;
         at.increment(error)) {
        std::string name;
        std::getline(std::ifstream(at->path() / "comm"), name);
        if (name.rfind(beginning, 0) == 0) ++count;
    }
    return count;
}

/// Waits until no such thread is left: the kernel lists a thread for a moment after it was joined.
inline void wait_for_no_thread_named(const std::string& beginning) {
    while (threads_named(beginning) != 0) std::this_thread::yield();
}

/// What the system calls the calling thread.
inline std::string name_of_this_thread() {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return name.data();
}

}  // namespace coex_test
