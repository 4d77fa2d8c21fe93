// A worker whose stack is nearly used up, and that gets no memory for another, waits without working meanwhile.
#include "pool/parker.hpp"
#include "pool/spare_stack.hpp"
#include "pool/worker.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <semaphore>

namespace {

using coex::static_thread_pool;
using coex::detail::call_on_spare_stack;
using coex::detail::worker;

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

/// As a ring with a completion that nobody has taken out: it does not sleep before that was handed over.
class parker_with_news final : public coex::detail::parker {
public:
    void park(coex::timer_clock::time_point) noexcept override {
        if (handed_over) woken_.acquire();
    }
    void unpark() noexcept override { woken_.release(); }
    bool poll(submission /*when*/) noexcept override {
        handed_over = true;
        return false;
    }

    std::atomic<bool> handed_over{false};

private:
    std::counting_semaphore<> woken_{0};
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

TEST(deep_wait, hands_over_what_its_own_parker_has) {
    if (COEX_ADDRESS_SANITIZER || COEX_THREAD_SANITIZER) GTEST_SKIP() << "these need address space themselves";
    static_thread_pool pool{{.threads = 1}};
    const auto wait = [] {
        auto made = std::make_unique<parker_with_news>();
        parker_with_news* const news = made.get();
        worker::current()->install_parker(std::move(made));
        const no_room_for_a_stack limited;
        EXPECT_FALSE(call_on_spare_stack([](void*) noexcept {}, nullptr)) << "then this test shows nothing";
        const auto is_over = [](void* what) { return static_cast<parker_with_news*>(what)->handed_over.load(); };
        worker::current()->work_until(is_over, news);
        EXPECT_TRUE(news->handed_over);
    };
    pool.submit([&wait] { call_deeply(wait); }).get();
}

}  // namespace
