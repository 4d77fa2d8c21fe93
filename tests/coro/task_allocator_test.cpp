// [task.promise] allocation: allocator_type, std::allocator_arg, get_allocator.

#include <exec/coro/environment_task.hpp>

#include "coro/support.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <new>
#include <tuple>
#include <utility>

namespace {

using coex::sync_wait;
using coex::task;

class counting_resource final : public std::pmr::memory_resource {
public:
    std::size_t allocations = 0;
    std::size_t live = 0;

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        ++allocations;
        live += bytes;
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
        live -= bytes;
        std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

struct pmr {
    using allocator_type = std::pmr::polymorphic_allocator<std::byte>;
};

// Not inlined, as clang would do without the frame of a task that does not leave the function.
COEX_NOINLINE task<int, pmr> free_function(std::allocator_arg_t, std::pmr::polymorphic_allocator<> allocator,
                                           int value) {
    const auto told = co_await coex::read_env(coex::get_allocator);
    static_assert(std::same_as<decltype(told), const std::pmr::polymorphic_allocator<std::byte>>);
    EXPECT_EQ(told.resource(), allocator.resource());
    co_return value;
}

COEX_NOINLINE task<void, pmr> take_counted(std::allocator_arg_t, std::pmr::memory_resource*, coex_test::counted) {
    co_return;
}

TEST(task_allocator, follows_allocator_arg_and_allocates_the_frame) {
    counting_resource memory;
    {
        auto made = free_function(std::allocator_arg, &memory, 4);
        EXPECT_EQ(memory.allocations, 1U);
        EXPECT_EQ(sync_wait(std::move(made)), std::tuple(4));
    }
    EXPECT_EQ(memory.live, 0U);
    EXPECT_EQ(memory.allocations, 1U);
}

TEST(task_allocator, gets_its_memory_back_from_a_task_that_never_ran) {
    counting_resource memory;
    {
        const auto dropped = free_function(std::allocator_arg, &memory, 4);
    }
    EXPECT_EQ(memory.allocations, 1U);
    EXPECT_EQ(memory.live, 0U);
}

TEST(task_allocator, is_found_behind_other_parameters_of_members_and_of_lambdas) {
    struct object {
        int value;
        // NOLINTNEXTLINE(readability-convert-member-functions-to-static)
        task<int, pmr> member(int more, std::allocator_arg_t, std::pmr::memory_resource*, int much) {
            co_return value + more + much;
        }
    };
    counting_resource memory;
    object four{4};
    const auto lambda = [base = 1](int more, std::allocator_arg_t, std::pmr::memory_resource*) -> task<int, pmr> {
        co_return base + more;
    };
    EXPECT_EQ(sync_wait(four.member(1, std::allocator_arg, &memory, 2)), std::tuple(7));
    EXPECT_EQ(sync_wait(lambda(2, std::allocator_arg, &memory)), std::tuple(3));
    EXPECT_EQ(memory.allocations, 2U);
    EXPECT_EQ(memory.live, 0U);
}

TEST(task_allocator, is_a_default_one_without_allocator_arg) {
    counting_resource memory;
    const auto former = std::pmr::set_default_resource(&memory);
    const auto lambda = []() -> task<bool, pmr> {
        const auto told = co_await coex::read_env(coex::get_allocator);
        co_return told.resource() == std::pmr::get_default_resource();
    };
    const auto result = sync_wait(lambda());
    std::pmr::set_default_resource(former);
    EXPECT_EQ(result, std::tuple(true));
    EXPECT_EQ(memory.allocations, 1U);
    EXPECT_EQ(memory.live, 0U);
}

TEST(task_allocator, failing_makes_the_call_throw_and_destroys_the_parameters) {
    EXPECT_THROW(
        static_cast<void>(take_counted(std::allocator_arg, std::pmr::null_memory_resource(), coex_test::counted(1))),
        std::bad_alloc);
    EXPECT_EQ(coex_test::counted::live, 0);
}

TEST(task_allocator, of_task_without_environment_is_std_allocator) {
    const auto lambda = [](std::allocator_arg_t, std::allocator<int>) -> task<int> {
        const auto told = co_await coex::read_env(coex::get_allocator);
        static_assert(std::same_as<decltype(told), const std::allocator<std::byte>>);
        co_return 1;
    };
    EXPECT_EQ(coex::block_on(lambda(std::allocator_arg, {})), 1);
}

struct wide {
    using allocator_type = std::allocator<int>;
};

TEST(task_allocator, may_be_a_std_allocator_of_another_type) {
    const auto lambda = [](std::allocator_arg_t, std::allocator<char>) -> task<int, wide> { co_return 1; };
    EXPECT_EQ(sync_wait(lambda(std::allocator_arg, {})), std::tuple(1));
}

}  // namespace
