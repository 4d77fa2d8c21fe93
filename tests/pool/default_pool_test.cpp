#include <exec/pool/default_pool.hpp>

#include <exec/pool/current_pool.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/sys/cpu_count.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace {

// A process has one default pool: these two have one of their own, and come first.

TEST(default_pool_death, takes_no_number_of_threads_for_the_automatic_one) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            coex::configure_default_pool({.threads = 0});
            std::exit(coex::default_pool().thread_count() == coex::default_thread_count() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

TEST(default_pool_death, is_made_by_its_first_use_with_the_default_options) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            const bool inside = coex::default_pool().install([] { return coex::this_thread_index().has_value(); });
            std::exit(inside && coex::default_pool().thread_count() == coex::default_thread_count() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

TEST(default_pool, is_configured_before_its_first_use_or_not_at_all) {
    EXPECT_THROW(coex::configure_default_pool({.threads = 100'000}), std::invalid_argument);
    coex::configure_default_pool({.name = "mine", .threads = 3});
    EXPECT_EQ(coex::default_pool().name(), "mine") << "a failed attempt leaves room for another";
    EXPECT_EQ(coex::default_pool().thread_count(), 3U);
    EXPECT_EQ(&coex::default_pool(), &coex::default_pool());
    const auto [inside, same] =
        coex::fork_join([] { return coex::default_pool().this_thread_index().has_value(); }, [] { return 1; });
    EXPECT_TRUE(inside) << "fork_join outside of all pools uses it";
    EXPECT_EQ(same, 1);
    try {
        coex::configure_default_pool({.threads = 1});
        FAIL();
    } catch (const std::logic_error& error) {
        EXPECT_NE(std::string(error.what()).find("exists already"), std::string::npos) << error.what();
    }
}

}  // namespace
