#include <exec/pool/parallel_reduce.hpp>

#include <exec/base/config.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using coex::parallel_reduce;
using coex::static_thread_pool;

constexpr bool slow = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER;
constexpr long many = slow ? 100'000 : 5'000'000;

TEST(parallel_reduce, smoke_sums_with_any_number_of_workers) {
    for (const unsigned threads : {1U, 2U, 5U}) {
        static_thread_pool pool{{.threads = threads}};
        EXPECT_EQ(pool.install([] { return parallel_reduce(std::views::iota(0L, many), 0L, std::plus<>()); }),
                  many * (many - 1) / 2);
    }
}

TEST(parallel_reduce, transforms_the_elements_first) {
    const std::vector<std::string> words{"a", "bc", "", "def"};
    EXPECT_EQ(parallel_reduce(words, std::size_t{0}, std::plus<>(), &std::string::size), 6U);
}

TEST(parallel_reduce, keeps_the_order_of_the_range) {
    static_thread_pool pool{{.threads = 4}};
    std::string digits;
    for (int i = 0; i < 20'000; ++i) digits += static_cast<char>('0' + i % 10);
    const auto joined = pool.install([&] {
        return parallel_reduce(digits, std::string(), std::plus<>(), [](char each) { return std::string(1, each); });
    });
    EXPECT_EQ(joined, digits);
}

TEST(parallel_reduce, gives_the_identity_for_an_empty_range) {
    EXPECT_EQ(parallel_reduce(std::vector<int>(), 7, std::plus<>()), 7);
}

TEST(parallel_reduce, combines_elements_of_another_type_without_a_transform) {
    const auto longest = [](std::size_t length, const auto& other) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(other)>, std::string>) {
            return std::max(length, other.size());
        } else {
            return std::max(length, other);
        }
    };
    EXPECT_EQ(parallel_reduce(std::vector<std::string>{"a", "bcd", "ef"}, std::size_t{0}, longest), 3U);
}

TEST(parallel_reduce, rethrows_what_a_function_throws) {
    static_thread_pool pool{{.threads = 2}};
    const auto numbers = std::views::iota(0, 1'000'000);
    const auto unlucky = [](int number) { return number == 13 ? throw std::runtime_error("13") : number; };
    const auto refusing = [](int a, int b) { return b == 77 ? throw std::logic_error("77") : a ^ b; };
    pool.install([&] {
        EXPECT_THROW(static_cast<void>(parallel_reduce(numbers, 0, std::bit_xor<>(), unlucky)), std::runtime_error);
        EXPECT_THROW(static_cast<void>(parallel_reduce(numbers, 0, refusing)), std::logic_error);
    });
}

TEST(parallel_reduce, rethrows_what_copying_the_identity_throws) {
    struct fragile {
        fragile() = default;
        fragile(const fragile&) { throw std::runtime_error("copy"); }
        fragile(fragile&&) = default;
        fragile& operator=(const fragile&) = default;
        fragile& operator=(fragile&&) = default;
        ~fragile() = default;
    };
    EXPECT_THROW(static_cast<void>(
                     parallel_reduce(std::vector<int>(10), fragile(), [](fragile all, const auto&) { return all; })),
                 std::runtime_error);
}

}  // namespace
