#include "pool/intake_pace.hpp"

#include <gtest/gtest.h>

#include <cstddef>

namespace {

using coex::detail::intake_pace;

/// How many looks that find one item each come before the next trial; at most `most`.
std::size_t looks_until_trial(intake_pace& pace, std::size_t most = 1'000'000) {
    std::size_t looks = 0;
    for (; looks < most && !pace.should_gather(); ++looks) pace.note_found(1);
    return looks;
}

TEST(intake_pace, smoke_tries_to_gather_after_some_meagre_looks_in_a_row) {
    intake_pace pace;
    EXPECT_EQ(looks_until_trial(pace), intake_pace::shortest_wait);
}

TEST(intake_pace, does_not_gather_when_looks_find_nothing_or_many) {
    intake_pace pace;
    for (unsigned i = 0; i < 10 * intake_pace::shortest_wait; ++i) {
        pace.note_found(0);
        pace.note_found(1);
        pace.note_found(intake_pace::many);
    }
    EXPECT_FALSE(pace.should_gather());
}

TEST(intake_pace, counts_anew_after_a_gap) {
    intake_pace pace;
    for (unsigned i = 1; i < intake_pace::shortest_wait; ++i) pace.note_found(1);
    pace.note_gap();
    EXPECT_EQ(looks_until_trial(pace), intake_pace::shortest_wait);
}

TEST(intake_pace, goes_on_gathering_as_long_as_that_finds_many) {
    intake_pace pace;
    looks_until_trial(pace);
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(pace.should_gather());
        pace.note_gathered(intake_pace::many);
    }
}

TEST(intake_pace, tries_ever_more_seldom_what_does_not_gain) {
    intake_pace pace;
    std::size_t before = looks_until_trial(pace);
    for (int i = 0; i < 10; ++i) {
        pace.note_gathered(1);
        const std::size_t now = looks_until_trial(pace);
        EXPECT_EQ(now, 2 * before);
        before = now;
    }
    for (int i = 0; i < 20; ++i) {
        pace.note_gathered(1);
        before = looks_until_trial(pace);
    }
    EXPECT_EQ(before, intake_pace::longest_wait);
}

TEST(intake_pace, tries_often_again_once_a_trial_gained) {
    intake_pace pace;
    for (int i = 0; i < 5; ++i) {
        looks_until_trial(pace);
        pace.note_gathered(1);
    }
    looks_until_trial(pace);
    pace.note_gathered(intake_pace::many);
    ASSERT_TRUE(pace.should_gather());
    pace.note_gap();
    EXPECT_EQ(looks_until_trial(pace), intake_pace::shortest_wait);
}

}  // namespace
