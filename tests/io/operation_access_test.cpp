#include "io/operation_access.hpp"

#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex::detail::io_list;

/// An operation that is never begun.
struct idle_operation : coex::detail::io_operation {
    explicit idle_operation(static_thread_pool& pool) noexcept : io_operation(pool) {}
};

class io_list_test : public ::testing::Test {
protected:
    static_thread_pool pool{{.threads = 1}};
    std::array<idle_operation, 3> operations{idle_operation(pool), idle_operation(pool), idle_operation(pool)};
    io_list list;
};

TEST_F(io_list_test, gives_operations_in_the_order_in_which_they_came) {
    for (auto& each : operations) list.push_back(each);
    for (auto& each : operations) EXPECT_EQ(list.pop_front(), &each);
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(list.pop_front(), nullptr);
}

TEST_F(io_list_test, any_operation_can_be_taken_out_once) {
    for (std::size_t out = 0; out < operations.size(); ++out) {
        for (auto& each : operations) list.push_back(each);
        EXPECT_TRUE(list.remove(operations[out]));
        EXPECT_FALSE(list.remove(operations[out])) << "it is in no list any more";
        for (std::size_t i = 0; i < operations.size(); ++i) {
            if (i == out) continue;
            EXPECT_EQ(list.pop_front(), &operations[i]);
        }
        EXPECT_TRUE(list.empty());
    }
}

TEST_F(io_list_test, an_operation_that_was_given_out_is_in_no_list) {
    list.push_back(operations[0]);
    static_cast<void>(list.pop_front());
    EXPECT_FALSE(list.remove(operations[0]));
}

TEST_F(io_list_test, behaves_like_a_sequence_under_random_use) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::minstd_rand random(seed);
    std::vector<std::unique_ptr<idle_operation>> all;
    for (int i = 0; i < 20; ++i) all.push_back(std::make_unique<idle_operation>(pool));
    std::vector<idle_operation*> expected;
    for (int i = 0; i < 20'000; ++i) {
        idle_operation& one = *all[random() % all.size()];
        const auto place = std::find(expected.begin(), expected.end(), &one);
        if (random() % 4 == 0) {
            const bool any = !expected.empty();
            EXPECT_EQ(list.pop_front(), any ? expected.front() : nullptr);
            if (any) expected.erase(expected.begin());
        } else if (place != expected.end()) {
            EXPECT_TRUE(list.remove(one));
            expected.erase(place);
        } else {
            list.push_back(one);
            expected.push_back(&one);
        }
    }
    for (idle_operation* const each : expected) EXPECT_EQ(list.pop_front(), each);
    EXPECT_TRUE(list.empty());
}

}  // namespace
