#include <exec/base/assert.hpp>

#include <gtest/gtest.h>

namespace {

TEST(require, a_condition_that_holds_is_evaluated_once_and_nothing_happens) {
    int evaluated = 0;
    COEX_REQUIRE(++evaluated == 1, "evaluated twice");
    EXPECT_EQ(evaluated, 1);
}

TEST(require, is_an_expression_that_may_stand_where_one_statement_is_expected) {
    if (true)
        COEX_REQUIRE(true, "never");
    else
        FAIL();
}

using require_death = ::testing::Test;

TEST(require_death, a_broken_condition_aborts_and_names_message_condition_and_place) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const int count = 3;
    EXPECT_DEATH(COEX_REQUIRE(count == 4, "count must be four"),
                 "coex: count must be four \\(count == 4, at .*assert_test\\.cpp:[0-9]+\\)");
}

}  // namespace
