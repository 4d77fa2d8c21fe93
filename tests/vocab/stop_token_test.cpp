#include <exec/vocab/stop_token.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using coex::inplace_stop_callback;
using coex::inplace_stop_source;
using coex::inplace_stop_token;
using coex::never_stop_token;

static_assert(std::regular<inplace_stop_token>);
static_assert(std::regular<never_stop_token>);
static_assert(!std::movable<inplace_stop_source>);
static_assert(!std::move_constructible<inplace_stop_callback<void (*)()>>);
static_assert(std::is_same_v<inplace_stop_token::callback_type<void (*)()>, inplace_stop_callback<void (*)()>>);

static_assert(coex::stoppable_token<inplace_stop_token> && coex::stoppable_token<never_stop_token>);
static_assert(coex::unstoppable_token<never_stop_token> && !coex::unstoppable_token<inplace_stop_token>);
static_assert(!coex::stoppable_token<int> && !coex::stoppable_token<inplace_stop_source>);
static_assert(
    std::is_same_v<coex::stop_callback_for_t<inplace_stop_token, void (*)()>, inplace_stop_callback<void (*)()>>);

using callback = inplace_stop_callback<std::function<void()>>;

TEST(stop_token, a_default_made_token_can_never_be_stopped) {
    const inplace_stop_token token;
    EXPECT_FALSE(token.stop_possible());
    EXPECT_FALSE(token.stop_requested());
    int calls = 0;
    {
        const inplace_stop_callback ignored(token, [&calls] { ++calls; });
    }
    EXPECT_EQ(calls, 0);
}

TEST(stop_token, tokens_are_equal_when_they_have_the_same_source) {
    const inplace_stop_source one;
    const inplace_stop_source other;
    EXPECT_EQ(one.get_token(), one.get_token());
    EXPECT_NE(one.get_token(), other.get_token());
    EXPECT_NE(one.get_token(), inplace_stop_token());
}

TEST(stop_token, only_the_first_request_says_that_it_stopped) {
    inplace_stop_source source;
    EXPECT_TRUE(source.get_token().stop_possible());
    EXPECT_FALSE(source.get_token().stop_requested());
    EXPECT_TRUE(source.request_stop());
    EXPECT_FALSE(source.request_stop());
    EXPECT_TRUE(source.stop_requested());
    EXPECT_TRUE(source.get_token().stop_requested());
}

TEST(stop_token, a_callback_registered_before_the_request_runs_once_on_the_requesting_thread) {
    inplace_stop_source source;
    std::thread::id where;
    int calls = 0;
    const callback counted(source.get_token(), [&] {
        ++calls;
        where = std::this_thread::get_id();
    });
    std::thread requester([&source] { source.request_stop(); });
    const auto id = requester.get_id();
    requester.join();
    source.request_stop();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(where, id);
}

TEST(stop_token, a_callback_registered_after_the_request_runs_in_its_constructor) {
    inplace_stop_source source;
    source.request_stop();
    int calls = 0;
    const callback counted(source.get_token(), [&calls] { ++calls; });
    EXPECT_EQ(calls, 1);
}

TEST(stop_token, a_removed_callback_does_not_run) {
    inplace_stop_source source;
    std::array<int, 3> calls{};
    std::array<std::optional<callback>, 3> callbacks;
    for (std::size_t i = 0; i < callbacks.size(); ++i)
        callbacks[i].emplace(source.get_token(), [&calls, i] { ++calls[i]; });
    callbacks[1].reset();
    source.request_stop();
    EXPECT_EQ(calls, (std::array<int, 3>{1, 0, 1}));
}

TEST(stop_token, every_callback_can_be_removed_in_any_order) {
    constexpr unsigned seed = 7;
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        inplace_stop_source source;
        int calls = 0;
        std::vector<std::unique_ptr<callback>> callbacks;
        for (int i = 0; i < 8; ++i)
            callbacks.push_back(std::make_unique<callback>(source.get_token(), [&] { ++calls; }));
        std::shuffle(callbacks.begin(), callbacks.end(), random);
        const std::size_t kept = random() % 9;
        callbacks.resize(kept);
        source.request_stop();
        EXPECT_EQ(static_cast<std::size_t>(calls), kept);
    }
}

TEST(stop_token, a_callback_may_destroy_itself) {
    inplace_stop_source source;
    int calls = 0;
    std::optional<callback> suicidal;
    suicidal.emplace(source.get_token(), [&] {
        int* const counter = &calls;
        suicidal.reset();
        ++*counter;
    });
    const callback other(source.get_token(), [&calls] { ++calls; });
    source.request_stop();
    EXPECT_EQ(calls, 2);
    EXPECT_FALSE(suicidal.has_value());
}

TEST(stop_token, a_callback_may_destroy_others_that_ran_or_did_not_run) {
    inplace_stop_source source;
    std::optional<callback> first;
    std::optional<callback> last;
    int calls = 0;
    first.emplace(source.get_token(), [&calls] { ++calls; });
    const callback destroyer(source.get_token(), [&] {
        first.reset();
        last.reset();
    });
    last.emplace(source.get_token(), [&calls] { ++calls; });
    source.request_stop();
    EXPECT_EQ(calls, 1) << "one of them comes before the destroyer, the other after it";
}

TEST(stop_token, a_callback_may_register_another_which_runs_at_once) {
    inplace_stop_source source;
    int inner = 0;
    const callback outer(source.get_token(), [&] {
        const callback nested(source.get_token(), [&inner] { ++inner; });
        EXPECT_EQ(inner, 1);
    });
    source.request_stop();
    EXPECT_EQ(inner, 1);
}

TEST(stop_token, a_request_within_a_callback_is_not_the_first) {
    inplace_stop_source source;
    bool nested = true;
    const callback requester(source.get_token(), [&] { nested = source.request_stop(); });
    EXPECT_TRUE(source.request_stop());
    EXPECT_FALSE(nested);
}

TEST(stop_token, a_callback_may_be_an_rvalue_only_function) {
    struct once {
        int* calls;
        void operator()() && { ++*calls; }
    };
    inplace_stop_source source;
    int calls = 0;
    const inplace_stop_callback<once> registered(source.get_token(), once{&calls});
    source.request_stop();
    EXPECT_EQ(calls, 1);
}

TEST(stop_token, a_callback_whose_function_cannot_be_made_is_not_registered) {
    struct throwing {
        explicit throwing(int) { throw std::runtime_error("no"); }
        void operator()() const {}
    };
    inplace_stop_source source;
    EXPECT_THROW(inplace_stop_callback<throwing>(source.get_token(), 1), std::runtime_error);
    EXPECT_TRUE(source.request_stop());
}

TEST(stop_token, the_destructor_waits_for_a_call_on_another_thread) {
    inplace_stop_source source;
    std::atomic<bool> entered{false};
    std::atomic<bool> go_on{false};
    bool ended = false;  // not atomic: only the wait in the destructor makes this reading safe
    std::optional<callback> slow;
    slow.emplace(source.get_token(), [&] {
        entered = true;
        entered.notify_one();
        go_on.wait(false);
        ended = true;
    });
    std::thread requester([&source] { source.request_stop(); });
    entered.wait(false);
    std::thread releaser([&go_on] {
        go_on = true;
        go_on.notify_one();
    });
    slow.reset();
    EXPECT_TRUE(ended);
    requester.join();
    releaser.join();
}

TEST(stop_token, the_requester_sees_a_callback_gone_as_soon_as_its_destructor_returned) {
    // The destructor may come before, during or after the call: each time the flag that the callback writes must be
    // free afterwards, and it is written at most once.
    constexpr int rounds = 500;
    for (int round = 0; round < rounds; ++round) {
        inplace_stop_source source;
        auto calls = std::make_unique<int>(0);
        auto registered = std::make_unique<callback>(source.get_token(), [at = calls.get()] { ++*at; });
        std::thread requester([&source] { source.request_stop(); });
        registered.reset();
        EXPECT_LE(*calls, 1);
        calls.reset();
        requester.join();
    }
}

TEST(stop_token, one_of_many_requesters_is_the_first_and_each_callback_runs_once) {
    constexpr int rounds = 200;
    for (int round = 0; round < rounds; ++round) {
        inplace_stop_source source;
        std::atomic<int> first{0};
        std::atomic<int> early{0};
        std::atomic<int> late{0};
        const callback before(source.get_token(), [&early] { ++early; });
        std::atomic<int> ready{0};
        const auto work = [&] {
            ++ready;
            while (ready < 4) std::this_thread::yield();
            const callback during(source.get_token(), [&late] { ++late; });
            if (source.request_stop()) ++first;
            const callback after(source.get_token(), [&late] { ++late; });
        };
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) threads.emplace_back(work);
        for (std::thread& each : threads) each.join();
        EXPECT_EQ(first, 1);
        EXPECT_EQ(early, 1);
        EXPECT_GE(late, 4) << "those that were registered after the request";
        EXPECT_LE(late, 8);
    }
}

TEST(stop_token, threads_that_come_and_go_while_stop_is_requested_lose_nothing) {
    // Each thread registers and removes callbacks until one of them, or the token, tells it to stop.
    constexpr int rounds = 200;
    for (int round = 0; round < rounds; ++round) {
        inplace_stop_source source;
        const auto work = [token = source.get_token()] {
            std::atomic<bool> told{false};
            const callback stays(token, [&told] { told = true; });
            while (!told) {
                const callback one(token, [] {});
                const callback two(token, [] {});
            }
            EXPECT_TRUE(token.stop_requested());
        };
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i) threads.emplace_back(work);
        source.request_stop();
        for (std::thread& each : threads) each.join();
    }
}

TEST(stop_token, who_sees_the_request_sees_what_came_before_it) {
    constexpr int rounds = 500;
    for (int round = 0; round < rounds; ++round) {
        inplace_stop_source source;
        int written = 0;
        std::thread requester([&] {
            written = 1;
            source.request_stop();
        });
        while (!source.stop_requested()) std::this_thread::yield();
        EXPECT_EQ(written, 1);
        requester.join();
    }
}

TEST(stop_token, a_never_stop_token_never_stops) {
    const never_stop_token token;
    EXPECT_FALSE(token.stop_possible());
    EXPECT_FALSE(token.stop_requested());
    int calls = 0;
    const never_stop_token::callback_type<void (*)()> ignored(token, [&calls] { ++calls; });
    EXPECT_EQ(calls, 0);
}

// What is stopped may own the source: the operation ends, and everything in it goes, inside the request.
TEST(stop_token, a_callback_may_destroy_its_source) {
    struct owner {
        inplace_stop_source source;
        std::optional<callback> first;
        std::optional<callback> second;
    };
    auto owned = std::make_unique<owner>();
    int calls = 0;
    const inplace_stop_token token = owned->source.get_token();
    owned->first.emplace(token, [&] {
        ++calls;
        owned.reset();
    });
    owned->second.emplace(token, [&] { ++calls; });
    inplace_stop_source& source = owned->source;
    EXPECT_TRUE(source.request_stop());
    EXPECT_EQ(calls, 2) << "the last registered is called first";
    EXPECT_EQ(owned, nullptr);
}

TEST(stop_token, a_callback_may_destroy_a_source_that_another_source_stops) {
    struct owner {
        inplace_stop_source source;
        std::optional<callback> link;
        std::optional<callback> end;
    };
    inplace_stop_source outer;
    auto owned = std::make_unique<owner>();
    owned->link.emplace(outer.get_token(), [&owned] { owned->source.request_stop(); });
    owned->end.emplace(owned->source.get_token(), [&owned] { owned.reset(); });
    EXPECT_TRUE(outer.request_stop());
    EXPECT_EQ(owned, nullptr);
    const callback later(outer.get_token(), [] {});
}

using coex::detail::nested_stop_source;

TEST(stop_token, a_nested_source_is_stopped_with_its_parent) {
    inplace_stop_source outer;
    nested_stop_source middle(outer.get_token());
    nested_stop_source inner(middle.get_token());
    int calls = 0;
    const callback counted(inner.get_token(), [&calls] { ++calls; });
    EXPECT_FALSE(inner.stop_requested());
    outer.request_stop();
    EXPECT_TRUE(inner.get_token().stop_requested());
    EXPECT_EQ(calls, 1);
    nested_stop_source late(outer.get_token());
    EXPECT_TRUE(late.stop_requested()) << "also without a callback";
    const callback at_once(late.get_token(), [&calls] { ++calls; });
    EXPECT_EQ(calls, 2);
}

TEST(stop_token, a_nested_source_that_stops_leaves_its_parent_alone) {
    inplace_stop_source outer;
    {
        nested_stop_source inner(outer.get_token());
        const callback registered(inner.get_token(), [] {});
        EXPECT_TRUE(inner.request_stop());
        EXPECT_FALSE(outer.stop_requested());
    }
    nested_stop_source unlinked{coex::inplace_stop_token()};
    const callback alone(unlinked.get_token(), [] {});
    EXPECT_TRUE(outer.request_stop()) << "nothing of the inner one is registered any more";
}

TEST(stop_token, wake_is_not_lost_when_a_nested_source_is_linked_during_a_request) {
    for (int round = 0; round < 5'000; ++round) {
        inplace_stop_source outer;
        std::atomic<bool> called{false};
        std::thread requester([&outer] { outer.request_stop(); });
        {
            nested_stop_source middle(outer.get_token());
            nested_stop_source inner(middle.get_token());
            const callback waiting(inner.get_token(), [&called] { called.store(true); });
            while (!called.load()) std::this_thread::yield();
        }
        requester.join();
    }
}

TEST(stop_token_death_test, a_source_destroyed_under_a_callback_aborts) {
    EXPECT_DEATH(
        {
            std::optional<inplace_stop_source> source(std::in_place);
            const callback registered(source->get_token(), [] {});
            source.reset();
        },
        "destroyed while callbacks are registered");
}

}  // namespace
