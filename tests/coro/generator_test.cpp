#include <exec/coro/generator.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using coex::generator;

generator<int> count_to(int last) {
    for (int i = 1; i <= last; ++i) co_yield i;
}

static_assert(std::input_iterator<generator<int>::iterator>);
static_assert(std::ranges::input_range<generator<int>>);
static_assert(!std::is_copy_constructible_v<generator<int>>);

TEST(generator, gives_what_is_yielded_in_order) {
    std::vector<int> seen;
    for (int each : count_to(4)) seen.push_back(each);
    EXPECT_EQ(seen, (std::vector{1, 2, 3, 4}));
}

TEST(generator, of_nothing_is_empty) {
    auto none = count_to(0);
    EXPECT_TRUE(none.begin() == none.end());
}

TEST(generator, runs_only_as_far_as_it_is_asked) {
    int made = 0;
    struct body {
        static generator<int> run(int& made) {
            for (;;) co_yield ++made;
        }
    };
    auto endless = body::run(made);
    EXPECT_EQ(made, 0);
    auto at = endless.begin();
    ++at;
    EXPECT_EQ(*at, 2);
    EXPECT_EQ(made, 2);
}

TEST(generator, works_with_range_adaptors) {
    std::vector<int> seen;
    for (int each :
         count_to(100) | std::views::filter([](int value) { return value % 2 == 0; }) | std::views::take(2)) {
        seen.push_back(each);
    }
    EXPECT_EQ(seen, (std::vector{2, 4}));
}

TEST(generator, yields_references_without_copying) {
    std::vector<std::string> words{"a", "b"};
    struct body {
        static generator<std::string&> run(std::vector<std::string>& words) {
            for (auto& each : words) co_yield each;
        }
    };
    for (std::string& each : body::run(words)) each += "!";
    EXPECT_EQ(words, (std::vector<std::string>{"a!", "b!"}));
}

TEST(generator, yields_what_only_moves_and_copies_of_what_is_const) {
    struct body {
        static generator<std::unique_ptr<int>> pointers() {
            co_yield std::make_unique<int>(1);
            co_yield std::make_unique<int>(2);
        }
        static generator<std::string> strings() {
            const std::string kept = "kept";
            co_yield kept;
            co_yield kept;
        }
    };
    int sum = 0;
    for (auto& each : body::pointers()) sum += *std::move(each);
    EXPECT_EQ(sum, 3);
    for (auto& each : body::strings()) {
        EXPECT_EQ(each, "kept");
        each.clear();
    }
}

TEST(generator, an_exception_comes_out_of_the_loop_and_ends_the_sequence) {
    struct body {
        static generator<int> run() {
            co_yield 1;
            throw std::runtime_error("second");
        }
    };
    auto fails = body::run();
    auto at = fails.begin();
    EXPECT_THROW(++at, std::runtime_error);
    EXPECT_TRUE(at == fails.end());
}

TEST(generator, destroying_it_destroys_the_locals_of_the_body) {
    auto owned = std::make_shared<int>();
    struct body {
        static generator<int> run(std::shared_ptr<int> kept) {
            const auto local = kept;
            for (;;) co_yield 1;
        }
    };
    {
        auto endless = body::run(owned);
        static_cast<void>(endless.begin());
        EXPECT_EQ(owned.use_count(), 3);
    }
    EXPECT_EQ(owned.use_count(), 1);
}

TEST(generator, a_million_elements_keep_the_stack_flat) {
    long long sum = 0;
    for (int each : count_to(1'000'000)) sum += each;
    EXPECT_EQ(sum, 500000500000);
}

TEST(generator, death_when_begun_twice) {
    auto numbers = count_to(3);
    static_cast<void>(numbers.begin());
    EXPECT_DEATH(static_cast<void>(numbers.begin()), "generator: begun twice");
}

}  // namespace
