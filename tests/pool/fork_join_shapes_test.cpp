// What fork_join may be called with, and what may come back, whoever runs the forked function.

#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>

namespace {

using coex::fork_join;
using coex::static_thread_pool;

std::atomic<bool> begun{false};

// Who runs the second function: the thread that forked it, or the other worker, for which the first one waits.
enum class runner { own, other };

struct wait_for_second {
    runner who;
    void operator()() const {
        while (who == runner::other && !begun.load()) std::this_thread::yield();
    }
};

template <class Body>
void for_both_runners(Body body) {
    for (const runner who : {runner::own, runner::other}) {
        static_thread_pool pool{{.threads = who == runner::own ? 1U : 2U}};
        begun.store(false);
        pool.install([&] { body(wait_for_second{who}); });
    }
}

int global = 3;
int& plain_reference() {
    begun.store(true);
    return global;
}
int plain_value() noexcept {
    begun.store(true);
    return 4;
}
const std::string constant() {
    begun.store(true);
    return "constant";
}

TEST(fork_join_shapes, plain_functions_and_pointers_to_them) {
    for_both_runners([](wait_for_second first) {
        auto [value] = fork_join(first, plain_value);
        EXPECT_EQ(value, 4);
        auto [reference] = fork_join(first, plain_reference);
        EXPECT_EQ(&reference, &global);
        auto [left, right] = fork_join(&plain_reference, &plain_value);
        static_assert(std::is_same_v<decltype(left), int&> && std::is_same_v<decltype(right), int>);
        EXPECT_EQ(&left, &global);
        auto [a, b, c] = fork_join(plain_value, plain_reference, plain_value);
        EXPECT_EQ(a + b + c, 11);
    });
}

TEST(fork_join_shapes, const_results) {
    for_both_runners([](wait_for_second first) {
        auto [text] = fork_join(first, constant);
        EXPECT_EQ(text, "constant");
    });
    static_thread_pool pool{{.threads = 1}};
    EXPECT_EQ(pool.install(constant), "constant");
    EXPECT_EQ(pool.submit(constant).get(), "constant");
}

// Trivially copyable, and yet it cannot be copied.
struct moved_only {
    explicit moved_only(int result) : number(result) {}
    moved_only(const moved_only&) = delete;
    moved_only& operator=(const moved_only&) = delete;
    moved_only(moved_only&&) = default;
    moved_only& operator=(moved_only&&) = default;
    ~moved_only() = default;
    int operator()() const {
        begun.store(true);
        return number;
    }
    int number;
};
static_assert(std::is_trivially_copyable_v<moved_only>);

TEST(fork_join_shapes, small_functions_that_can_only_be_moved) {
    for_both_runners([](wait_for_second first) {
        auto [one] = fork_join(first, moved_only(1));
        EXPECT_EQ(one, 1);
        auto [a, b, c] = fork_join(moved_only(1), moved_only(2), moved_only(3));
        EXPECT_EQ(a + b + c, 6);
    });
}

// Counts how often it was called as what, and dies once.
struct stateful {
    int& lvalue_calls;
    int& rvalue_calls;
    std::unique_ptr<int> resource = std::make_unique<int>(1);
    int operator()() & {
        begun.store(true);
        lvalue_calls += *resource;
        return lvalue_calls;
    }
    int operator()() && {
        begun.store(true);
        rvalue_calls += *std::exchange(resource, nullptr);
        return rvalue_calls;
    }
};

TEST(fork_join_shapes, functions_are_called_as_what_they_were_given) {
    for_both_runners([](wait_for_second first) {
        int as_lvalue = 0;
        int as_rvalue = 0;
        stateful named{as_lvalue, as_rvalue};
        fork_join(first, named);
        fork_join(named, first);
        EXPECT_EQ(as_lvalue, 2);
        fork_join(first, stateful{as_lvalue, as_rvalue});
        fork_join(first, std::move(named), first);
        EXPECT_EQ(as_lvalue, 2);
        EXPECT_EQ(as_rvalue, 2);
        EXPECT_EQ(named.resource, nullptr);
        int calls = 0;
        auto changing = [calls]() mutable {
            begun.store(true);
            return ++calls;
        };
        fork_join(first, changing);
        EXPECT_EQ(std::get<0>(fork_join(changing, first)), 2) << "the function itself was called, not a copy";
        const std::function<int()> erased = changing;
        auto [third] = fork_join(first, std::cref(erased));
        EXPECT_EQ(third, 3);
    });
}

struct alignas(256) wide {
    wide() = default;
    wide(const wide& other) : value(other.value) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % alignof(wide), 0U);
    }
    wide& operator=(const wide&) = delete;
    ~wide() { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % alignof(wide), 0U); }
    char value = 'w';
};
using huge = std::array<std::size_t, 30'000>;

TEST(fork_join_shapes, over_aligned_and_huge_functions_and_results) {
    for_both_runners([](wait_for_second first) {
        auto [aligned] = fork_join(first, [captured = wide()] {
            begun.store(true);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&captured) % alignof(wide), 0U);
            return captured;
        });
        EXPECT_EQ(aligned.value, 'w');
        begun.store(false);
        auto [large] = fork_join(first, [given = huge{{7}}] {
            begun.store(true);
            huge result = given;
            result.back() = 8;
            return result;
        });
        EXPECT_EQ(large.front() + large.back(), 15U);
    });
}

struct counted {
    explicit counted(std::atomic<int>& number) : alive(number) { alive.fetch_add(1); }
    counted(const counted& other) : alive(other.alive) { alive.fetch_add(1); }
    counted& operator=(const counted&) = delete;
    ~counted() { alive.fetch_sub(1); }
    std::atomic<int>& alive;
};

// The exception is of no class. Whatever the functions hold and give back dies exactly once.
TEST(fork_join_shapes, captures_and_results_are_destroyed_once_however_it_ends) {
    for_both_runners([](wait_for_second first) {
        std::atomic<int> alive{0};
        for (int failing = 0; failing < 8; ++failing) {
            const auto part = [&](int which) {
                return [&alive, which, failing, own = counted(alive)] {
                    begun.store(true);
                    if ((failing & (1 << which)) != 0) throw which;
                    return counted(alive);
                };
            };
            int caught = -1;
            begun.store(false);
            try {
                auto results = fork_join(first, part(0), part(1), part(2));
                EXPECT_EQ(alive.load(), 3) << "the functions are gone, the results are here";
                static_assert(std::tuple_size_v<decltype(results)> == 3);
            } catch (int which) {
                caught = which;
            }
            EXPECT_EQ(caught, failing == 0 ? -1 : (failing & 1) != 0 ? 0 : (failing & 2) != 0 ? 1 : 2);
            EXPECT_EQ(alive.load(), 0);
        }
    });
}

// Throws when it is moved for the last time.
struct worn_out {
    explicit worn_out(std::atomic<int>& number, int most) : own(number), moves_left(most) {}
    worn_out(worn_out&& other) : own(other.own), moves_left(other.moves_left - 1) {
        if (moves_left == 0) throw 'm';
    }
    worn_out& operator=(worn_out&&) = delete;
    ~worn_out() = default;
    counted own;
    int moves_left;
};

TEST(fork_join_shapes, a_result_whose_move_throws_is_destroyed_once) {
    for_both_runners([](wait_for_second first) {
        std::atomic<int> alive{0};
        bool threw = true;
        for (int moves = 1; threw; ++moves) {
            threw = false;
            begun.store(false);
            const auto second = [&] {
                begun.store(true);
                return worn_out(alive, moves);
            };
            try {
                fork_join([&] { return counted(alive); }, [&] { fork_join(first, second); }, second);
            } catch (char) {
                threw = true;
            }
            EXPECT_EQ(alive.load(), 0);
            ASSERT_LT(moves, 100);
        }
    });
}

}  // namespace
