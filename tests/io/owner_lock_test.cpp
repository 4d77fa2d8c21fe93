#include "io/owner_lock.hpp"

#include <exec/base/config.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace {

using coex::detail::owner_lock;

TEST(owner_lock, refuses_a_visitor_while_its_owner_is_inside) {
    owner_lock lock;
    lock.lock();
    EXPECT_FALSE(lock.try_enter());
    lock.unlock();
    ASSERT_TRUE(lock.try_enter());
    lock.leave();
    EXPECT_TRUE(lock.try_enter());
    lock.leave();
}

TEST(owner_lock, owner_and_visitor_are_never_inside_at_once) {
    constexpr long visits = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 2'000 : 20'000;
    owner_lock lock;
    long inside = 0;  // not atomic: only the lock keeps the two apart
    long entered = 0;
    std::atomic<bool> over{false};
    std::thread visitor([&] {
        for (long i = 0; i < visits; ++i) {
            if (!lock.try_enter()) continue;
            ++inside;
            ++entered;
            lock.leave();
        }
        over.store(true);
    });
    long owned = 0;
    while (!over.load()) {
        const std::lock_guard guard(lock);
        ++inside;
        ++owned;
    }
    visitor.join();
    EXPECT_EQ(inside, owned + entered);
}

TEST(owner_lock, an_owner_waits_for_the_visitor_inside) {
    owner_lock lock;
    ASSERT_TRUE(lock.try_enter());
    bool left = false;
    std::thread owner([&] {
        const std::lock_guard guard(lock);
        EXPECT_TRUE(left);
    });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    left = true;
    lock.leave();
    owner.join();
}

}  // namespace
