#include <exec/algo/spawn.hpp>

#include "algo/support.hpp"

#include <exec/algo/counting_scope.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/spawn_future.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/default_pool.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace {

using namespace coex_test;
using coex::counting_scope;
using coex::just;
using coex::spawn;
using coex::task;

TEST(spawn, starts_the_sender_inside_the_call) {
    counting_scope scope;
    bool ran = false;
    spawn(just() | coex::then([&ran]() noexcept { ran = true; }), scope.get_token());
    EXPECT_TRUE(ran);
    coex::block_on(scope.join());
}

TEST(spawn, drops_the_sender_unstarted_when_the_scope_is_closed) {
    counting_scope scope;
    scope.close();
    auto owned = std::make_shared<int>();
    bool ran = false;
    spawn(just() | coex::then([&ran, owned] { ran = true; }), scope.get_token());
    EXPECT_FALSE(ran);
    EXPECT_EQ(owned.use_count(), 1);
}

TEST(spawn, destroys_the_operation_before_the_scope_counts_it_as_ended) {
    counting_scope scope;
    hand<> waiting;
    auto owned = std::make_shared<int>();
    spawn(handed<>(waiting) | coex::then([owned] {}), scope.get_token());
    EXPECT_EQ(owned.use_count(), 2);
    waiting.give();
    EXPECT_EQ(owned.use_count(), 1);
    coex::block_on(scope.join());
}

TEST(spawn, takes_a_named_sender_and_leaves_it_usable) {
    counting_scope scope;
    int runs = 0;
    const auto work = just() | coex::then([&runs] { ++runs; });
    spawn(work, scope.get_token());
    spawn(work, scope.get_token());
    EXPECT_EQ(runs, 2);
    coex::block_on(scope.join());
}

TEST(spawn, an_error_of_another_type_is_rethrown_as_when_awaited) {
    counting_scope scope;
    spawn(coex::just_error(std::make_error_code(std::errc::timed_out)), scope.get_token());
    EXPECT_THROW(coex::block_on(scope.join()), std::system_error);
}

TEST(spawn, work_that_was_stopped_is_no_failure) {
    counting_scope scope;
    spawn(coex::just_stopped(), scope.get_token());
    EXPECT_TRUE(coex::sync_wait(scope.join()).has_value());
}

struct throws_on_connect {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t()>;

    class operation {
    public:
        using operation_state_concept = coex::operation_state_tag;
        void start() & noexcept {}
    };
    template <class Receiver>
    operation connect(Receiver) const {
        throw std::runtime_error("connect");
    }
};

TEST(spawn, throws_what_connecting_throws_and_has_started_nothing) {
    counting_scope scope;
    EXPECT_THROW(spawn(throws_on_connect(), scope.get_token()), std::runtime_error);
}

struct breaks_when_copied {
    breaks_when_copied() = default;
    breaks_when_copied(const breaks_when_copied&) { throw std::runtime_error("copied"); }
};

TEST(spawn, throws_what_copying_the_environment_throws_and_has_started_nothing) {
    counting_scope scope;
    bool ran = false;
    const breaks_when_copied environment;
    auto work = just() | coex::then([&ran]() noexcept { ran = true; });
    EXPECT_THROW(spawn(work, scope.get_token(), environment), std::runtime_error);
    EXPECT_THROW(static_cast<void>(coex::spawn_future(work, scope.get_token(), environment)), std::runtime_error);
    EXPECT_FALSE(ran);
    coex::block_on(scope.join());
}

TEST(spawn, gives_the_work_the_environment) {
    counting_scope scope;
    std::optional<coex::context_scheduler> seen;
    coex::static_thread_pool pool{{.threads = 1}};
    spawn(coex::read_env(coex::get_scheduler) | coex::then([&seen](auto scheduler) { seen = scheduler; }),
          scope.get_token(), coex::prop(coex::get_scheduler, pool.get_scheduler()));
    EXPECT_EQ(seen, pool.get_scheduler());
    coex::block_on(scope.join());
}

// --- the allocator ------------------------------------------------------------------------------------------------

struct allocations {
    int made = 0;
    int freed = 0;
};

template <class T>
class counting_allocator {
public:
    using value_type = T;

    explicit counting_allocator(allocations& counts) noexcept : counts_(&counts) {}
    template <class U>
    explicit counting_allocator(const counting_allocator<U>& other) noexcept : counts_(other.counts_) {}

    T* allocate(std::size_t count) {
        ++counts_->made;
        return std::allocator<T>().allocate(count);
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        ++counts_->freed;
        std::allocator<T>().deallocate(memory, count);
    }
    friend bool operator==(const counting_allocator&, const counting_allocator&) noexcept = default;

    allocations* counts_;
};

TEST(spawn, allocates_once_by_the_allocator_of_the_environment_which_the_work_sees) {
    counting_scope scope;
    allocations counts;
    bool same = false;
    spawn(coex::read_env(coex::get_allocator) |
              coex::then([&](auto allocator) noexcept { same = allocator.counts_ == &counts; }),
          scope.get_token(), coex::prop(coex::get_allocator, counting_allocator<std::byte>(counts)));
    EXPECT_TRUE(same);
    EXPECT_EQ(counts.made, 1);
    EXPECT_EQ(counts.freed, 1);
    coex::block_on(scope.join());
}

TEST(spawn, frees_the_memory_when_the_scope_is_closed_or_connecting_throws) {
    counting_scope scope;
    allocations counts;
    const auto env = coex::prop(coex::get_allocator, counting_allocator<std::byte>(counts));
    EXPECT_THROW(spawn(throws_on_connect(), scope.get_token(), env), std::runtime_error);
    scope.close();
    spawn(just(), scope.get_token(), env);
    EXPECT_EQ(counts.made, 2);
    EXPECT_EQ(counts.freed, 2);
}

// --- where it starts ----------------------------------------------------------------------------------------------

task<void> note_pool(coex::static_thread_pool& pool, bool& on_it) {
    on_it = pool.this_thread_index().has_value();
    co_return;
}

TEST(spawn, a_task_starts_on_the_pool_whose_worker_spawned_it) {
    coex::static_thread_pool pool{{.threads = 2}};
    counting_scope scope;
    bool on_it = false;
    pool.install([&] { spawn(note_pool(pool, on_it), scope.get_token()); });
    coex::block_on(scope.join());
    EXPECT_TRUE(on_it);
}

TEST(spawn, a_task_starts_on_the_environments_scheduler) {
    coex::static_thread_pool pool{{.threads = 2}};
    counting_scope scope;
    bool on_it = false;
    spawn(note_pool(pool, on_it), scope.get_token(), coex::prop(coex::get_scheduler, pool.get_scheduler()));
    coex::block_on(scope.join());
    EXPECT_TRUE(on_it);
}

TEST(spawn, a_task_spawned_outside_of_any_pool_starts_on_the_default_pool) {
    counting_scope scope;
    bool on_it = false;
    spawn(note_pool(coex::default_pool(), on_it), scope.get_token());
    coex::block_on(scope.join());
    EXPECT_TRUE(on_it);
}

TEST(spawn, many_tasks_that_spawn_tasks_all_run) {
    coex::static_thread_pool pool{{.threads = 2}};
    counting_scope scope;
    std::atomic<int> ended{0};
    struct tree {
        static task<void> grow(counting_scope& scope, std::atomic<int>& ended, int depth) {
            for (int i = 0; depth > 0 && i < 2; ++i) spawn(grow(scope, ended, depth - 1), scope.get_token());
            ended.fetch_add(1);
            co_return;
        }
    };
    spawn(coex::starts_on(pool.get_scheduler(), tree::grow(scope, ended, 9)), scope.get_token());
    coex::block_on(scope.join());
    EXPECT_EQ(ended.load(), 1023);
}

}  // namespace
