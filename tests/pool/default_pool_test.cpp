#include <exec/pool/default_pool.hpp>

#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace {

// One test: a process has one default pool.
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
