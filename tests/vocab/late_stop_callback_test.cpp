// What derives from a late_stop_callback, of <exec/vocab/stop_token.hpp>.
#include <exec/vocab/stop_token.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace {

using coex::inplace_stop_source;

/// Counts its calls; registered late, or never.
struct late final : coex::detail::late_stop_callback {
    late()
        : late_stop_callback(
              [](coex::detail::stop_callback_base* self) noexcept { static_cast<late*>(self)->calls.fetch_add(1); }) {}
    using late_stop_callback::register_at;
    using late_stop_callback::release;
    using late_stop_callback::stop_callback_base;
    std::atomic<int> calls{0};
};

TEST(late_stop_callback, is_called_from_its_registration_until_its_release) {
    inplace_stop_source source;
    late never;
    late waiting;
    late released;
    late twice;
    waiting.register_at(source.get_token());
    released.register_at(source.get_token());
    released.release();
    twice.register_at(source.get_token());
    twice.release();
    twice.release();
    EXPECT_TRUE(source.request_stop());
    late after;
    after.register_at(source.get_token());
    late unstoppable;
    unstoppable.register_at({});
    EXPECT_EQ(waiting.calls.load(), 1);
    EXPECT_EQ(after.calls.load(), 1);
    for (const late* each : {&never, &released, &twice, &unstoppable}) EXPECT_EQ(each->calls.load(), 0);
}

TEST(late_stop_callback, a_release_waits_for_its_call) {
    for (int round = 0; round < 2'000; ++round) {
        inplace_stop_source source;
        auto registered = std::make_unique<late>();
        registered->register_at(source.get_token());
        std::thread requester([&source] { source.request_stop(); });
        if (round % 2 == 0) std::this_thread::yield();
        registered->release();
        const int calls = registered->calls.load();
        requester.join();
        EXPECT_EQ(registered->calls.load(), calls);
    }
}

}  // namespace
