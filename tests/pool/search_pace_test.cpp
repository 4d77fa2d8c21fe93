#include "pool/search_pace.hpp"

#include <gtest/gtest.h>

namespace {

using coex::detail::search_pace;

/// How many searches are left out before the next one looks around; at most `most`.
unsigned searches_until_trial(search_pace& pace, unsigned most = 1'000'000) {
    unsigned left_out = 0;
    for (; left_out < most && !pace.should_look_around(); ++left_out) pace.note_left_out();
    return left_out;
}

void give_up(search_pace& pace) {
    for (unsigned i = 0; i < search_pace::most_credit; ++i) {
        ASSERT_TRUE(pace.should_look_around());
        pace.note_failure();
    }
}

TEST(search_pace, smoke_looks_around_until_that_was_in_vain_often_enough) {
    search_pace pace;
    give_up(pace);
    EXPECT_FALSE(pace.should_look_around());
}

TEST(search_pace, tries_again_after_some_searches_and_gives_up_when_that_is_in_vain) {
    search_pace pace;
    give_up(pace);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(searches_until_trial(pace), search_pace::searches_before_trial);
        pace.note_failure();
        EXPECT_FALSE(pace.should_look_around());
    }
}

TEST(search_pace, goes_on_after_a_trial_that_found_something) {
    search_pace pace;
    give_up(pace);
    searches_until_trial(pace);
    pace.note_success();
    EXPECT_TRUE(pace.should_look_around());
    pace.note_failure();
    EXPECT_TRUE(pace.should_look_around());
}

TEST(search_pace, goes_on_as_long_as_half_of_the_searches_find_something) {
    search_pace pace;
    for (int i = 0; i < 1000; ++i) {
        pace.note_success();
        pace.note_failure();
        ASSERT_TRUE(pace.should_look_around());
    }
}

TEST(search_pace, gives_up_when_one_of_eight_finds_something) {
    search_pace pace;
    unsigned given_up = 0;
    for (unsigned i = 0; i < 80; ++i) {
        if (!pace.should_look_around()) {
            ++given_up;
        } else if (i % 8 == 0) {
            pace.note_success();
        } else {
            pace.note_failure();
        }
    }
    EXPECT_GT(given_up, 0U);
}

}  // namespace
