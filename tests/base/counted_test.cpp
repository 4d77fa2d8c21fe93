#include <exec/base/counted.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::detail::counted;
using coex::detail::counted_ptr;
using coex::detail::make_counted;

struct base : counted {
    virtual ~base() = default;
};

struct thing final : base {
    thing(int& alive, int number) : alive_(alive), value(number) {
        if (number < 0) throw std::invalid_argument("number");
        ++alive_;
    }
    ~thing() override { --alive_; }

    int& alive_;
    int value;
};

TEST(counted, smoke_an_object_goes_with_the_last_pointer_to_it) {
    int alive = 0;
    auto first = make_counted<thing>(alive, 7);
    EXPECT_FALSE(first.is_shared());
    {
        const counted_ptr<thing> second = first;
        EXPECT_TRUE(first.is_shared());
        EXPECT_EQ(second.get(), first.get());
        first.reset();
        EXPECT_EQ(alive, 1);
        EXPECT_EQ(second->value, 7);
        EXPECT_FALSE(second.is_shared());
    }
    EXPECT_EQ(alive, 0);
}

TEST(counted, a_move_takes_the_use_along) {
    int alive = 0;
    auto first = make_counted<thing>(alive, 1);
    counted_ptr<thing> second = std::move(first);
    EXPECT_TRUE(first == nullptr);
    EXPECT_FALSE(second.is_shared());
    first = std::move(second);
    EXPECT_TRUE(second == nullptr);
    EXPECT_EQ(alive, 1);
    first = nullptr;
    EXPECT_EQ(alive, 0);
}

TEST(counted, assignment_drops_what_was_pointed_to_and_may_be_to_itself) {
    int first_alive = 0;
    int second_alive = 0;
    auto first = make_counted<thing>(first_alive, 1);
    const auto second = make_counted<thing>(second_alive, 2);
    const auto& same = first;
    first = same;
    EXPECT_EQ(first_alive, 1);
    first = second;
    EXPECT_EQ(first_alive, 0);
    EXPECT_TRUE(second.is_shared());
}

TEST(counted, a_pointer_to_the_base_destroys_all_of_it) {
    int alive = 0;
    counted_ptr<base> pointer = make_counted<thing>(alive, 1);
    counted_ptr<base> another(pointer.get());
    pointer.reset();
    EXPECT_EQ(alive, 1);
    another.reset();
    EXPECT_EQ(alive, 0);
}

TEST(counted, an_object_whose_constructor_throws_was_never_there) {
    int alive = 0;
    EXPECT_THROW(static_cast<void>(make_counted<thing>(alive, -1)), std::invalid_argument);
    EXPECT_EQ(alive, 0);
}

TEST(counted, threads_may_share_an_object) {
    int alive = 0;
    auto first = make_counted<thing>(alive, 1);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([mine = first] {
            for (int k = 0; k < 10'000; ++k) {
                const counted_ptr<thing> copy = mine;
                ASSERT_EQ(copy->value, 1);
            }
        });
    }
    first.reset();
    for (auto& each : threads) each.join();
    EXPECT_EQ(alive, 0);
}

}  // namespace
