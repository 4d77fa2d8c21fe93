// A worker whose stack is nearly used up, and that gets no memory for another, waits without working meanwhile.
#include "io/support.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/io/poll.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/sender.hpp>

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <fstream>

namespace {

using coex::static_thread_pool;

/// Until it goes, this process gets next to no more address space.
class no_room_for_a_stack {
public:
    no_room_for_a_stack() {
        constexpr rlim_t for_small_things = rlim_t{4} * 1024 * 1024;
        rlim_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        if (::getrlimit(RLIMIT_AS, &before_) != 0 || pages == 0) std::abort();
        rlimit small = before_;
        small.rlim_cur = pages * static_cast<rlim_t>(::getpagesize()) + for_small_things;
        if (::setrlimit(RLIMIT_AS, &small) != 0) std::abort();
    }
    no_room_for_a_stack(const no_room_for_a_stack&) = delete;
    no_room_for_a_stack& operator=(const no_room_for_a_stack&) = delete;
    ~no_room_for_a_stack() { static_cast<void>(::setrlimit(RLIMIT_AS, &before_)); }

private:
    rlimit before_{};
};

class event {
public:
    void set() noexcept {
        happened_.store(true);
        happened_.notify_all();
    }
    void wait() const noexcept { happened_.wait(false); }

private:
    std::atomic<bool> happened_{false};
};

struct setting {
    using receiver_concept = coex::receiver_tag;
    template <class... Values>
    void set_value(Values&&...) && noexcept {
        what->set();
    }
    template <class Error>
    void set_error(Error&&) && noexcept {
        std::terminate();
    }
    void set_stopped() && noexcept { std::terminate(); }

    [[nodiscard]] auto get_env() const noexcept { return coex::prop(coex::get_scheduler, pool->get_scheduler()); }

    event* what;
    static_thread_pool* pool;
};

/// Calls `function` with nearly all of the stack used up.
template <class Function>
COEX_NOINLINE void call_deeply(Function& function) {
    volatile std::byte used[4096];
    used[0] = std::byte{};
    if (coex::detail::stack_is_deep()) {
        function();
    } else {
        call_deeply(function);
    }
    used[1] = used[0];
}

TEST(deep_wait, hands_over_what_its_own_ring_brings) {
    if (COEX_ADDRESS_SANITIZER || COEX_THREAD_SANITIZER) GTEST_SKIP() << "these need address space themselves";
    coex_test::pipe_pair pipe;
    const int reading_end = pipe.take_reading_end();
    event waiting;
    event readable;
    event ended;
    static_thread_pool elsewhere{{.threads = 1}};
    static_thread_pool pool{{.threads = 2}};
    pool.post([&] {
        auto operation =
            coex::connect(coex::poll(pool, reading_end, coex::poll_events::readable), setting{&readable, &pool});
        coex::start(operation);
        auto wait = [&] {
            const no_room_for_a_stack limited;
            elsewhere.install([&] {
                waiting.set();
                readable.wait();
            });
        };
        call_deeply(wait);
        ended.set();
    });
    waiting.wait();
    pipe.write("x");
    ended.wait();
    ::close(reading_end);
}

}  // namespace
