// [exec.queryable] An environment need not be copyable: one that only moves gets through every adaptor, whether the
// receiver lends it or gives it away.

#include "algo/support.hpp"
#include "coro/manual_context.hpp"

#include <exec/algo/any_sender_of.hpp>
#include <exec/algo/as_result.hpp>
#include <exec/algo/associate.hpp>
#include <exec/algo/bulk.hpp>
#include <exec/algo/continues_on.hpp>
#include <exec/algo/counting_scope.hpp>
#include <exec/algo/finally.hpp>
#include <exec/algo/into_variant.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/on.hpp>
#include <exec/algo/repeat_until.hpp>
#include <exec/algo/retry.hpp>
#include <exec/algo/schedule_at.hpp>
#include <exec/algo/spawn.hpp>
#include <exec/algo/spawn_future.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/stop_when.hpp>
#include <exec/algo/stopped_as.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/timeout.hpp>
#include <exec/algo/when_all.hpp>
#include <exec/algo/when_any.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/environment_task.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace {

using namespace coex_test;
using coex::just;
using coex::then;

struct get_mark_t : coex::forwarding_query_t {
    template <class Env>
    [[nodiscard]] auto operator()(const Env& env) const noexcept -> decltype(env.query(*this)) {
        return env.query(*this);
    }
};
inline constexpr get_mark_t get_mark{};

class owning_env {
public:
    owning_env(int mark, coex::context_scheduler place, coex::inplace_stop_token token)
        : mark_(std::make_unique<int>(mark)), place_(place), token_(token) {}

    [[nodiscard]] int query(get_mark_t) const noexcept { return *mark_; }
    [[nodiscard]] coex::context_scheduler query(coex::get_start_scheduler_t) const noexcept { return place_; }
    [[nodiscard]] coex::context_scheduler query(coex::get_scheduler_t) const noexcept { return place_; }
    [[nodiscard]] coex::inplace_stop_token query(coex::get_stop_token_t) const noexcept { return token_; }

private:
    std::unique_ptr<int> mark_;
    coex::context_scheduler place_;
    coex::inplace_stop_token token_;
};
static_assert(!std::copy_constructible<owning_env>);

/// Has the environment, and lends it.
class lending_receiver {
public:
    using receiver_concept = coex::receiver_tag;

    lending_receiver(int& ends, owning_env env) noexcept : ends_(&ends), env_(std::move(env)) {}
    void set_value(auto&&...) && noexcept { ++*ends_; }
    void set_error(auto&&) && noexcept { ++*ends_; }
    void set_stopped() && noexcept { ++*ends_; }
    [[nodiscard]] const owning_env& get_env() const noexcept { return env_; }

private:
    int* ends_;
    owning_env env_;
};

/// Makes an environment whenever it is asked, and gives it away.
class giving_receiver {
public:
    using receiver_concept = coex::receiver_tag;

    giving_receiver(int& ends, owning_env env) noexcept
        : ends_(&ends),
          mark_(env.query(get_mark)),
          place_(env.query(coex::get_scheduler)),
          token_(env.query(coex::get_stop_token)) {}
    void set_value(auto&&...) && noexcept { ++*ends_; }
    void set_error(auto&&) && noexcept { ++*ends_; }
    void set_stopped() && noexcept { ++*ends_; }
    [[nodiscard]] owning_env get_env() const noexcept { return {mark_, place_, token_}; }

private:
    int* ends_;
    int mark_;
    coex::context_scheduler place_;
    coex::inplace_stop_token token_;
};

struct move_only_environment : testing::Test {
    /// Expects that the sender inside `adapt(sender)` gets the answer of the environment, and the whole completes.
    template <class Adapt>
    void expect_reaches(Adapt adapt) {
        expect_reaches_from<lending_receiver>(adapt);
        expect_reaches_from<giving_receiver>(adapt);
    }
    [[nodiscard]] owning_env environment() { return {7, home, source.get_token()}; }
    [[nodiscard]] static auto ask(int& seen) {
        return coex::read_env(get_mark) | then([&seen](int mark) noexcept { seen = mark; });
    }
    void run_places() {
        do {
            there_context.advance({});  // lets timers end whose time has come
        } while (there_context.run_all() + home_context.run_all() > 0);
    }

    coex::inplace_stop_source source;
    manual_context there_context;
    manual_context home_context;
    coex::context_scheduler there{there_context};
    coex::context_scheduler home{home_context};

private:
    template <class Receiver, class Adapt>
    void expect_reaches_from(Adapt& adapt) {
        int seen = 0;
        int ends = 0;
        auto operation = coex::connect(adapt(ask(seen)), Receiver(ends, environment()));
        coex::start(operation);
        run_places();
        EXPECT_EQ(seen, 7);
        EXPECT_EQ(ends, 1);
    }
};

TEST_F(move_only_environment, reaches_the_sender_before_a_function) {
    expect_reaches([](auto ask) { return ask; });
    expect_reaches([](auto ask) { return std::move(ask) | then([]() noexcept {}); });
    expect_reaches([](auto ask) { return std::move(ask) | coex::upon_error([](auto&&) noexcept {}); });
    expect_reaches([](auto ask) { return std::move(ask) | coex::upon_stopped([]() noexcept {}); });
    expect_reaches([](auto ask) { return std::move(ask) | coex::bulk(coex::seq, 1, [](int) noexcept {}); });
    expect_reaches([](auto ask) { return std::move(ask) | coex::bulk(coex::par, 1, [](int) noexcept {}); });
    expect_reaches([this](auto ask) {
        return std::move(ask) | coex::continues_on(there) | coex::bulk_chunked(coex::par, 1, [](int, int) noexcept {});
    });
}

TEST_F(move_only_environment, reaches_both_senders_of_let) {
    expect_reaches([](auto ask) { return std::move(ask) | coex::let_value([]() noexcept { return just(); }); });
    expect_reaches([](auto ask) { return just() | coex::let_value([ask]() noexcept { return ask; }); });
    expect_reaches(
        [](auto ask) { return coex::just_error(1) | coex::let_error([ask](int&) noexcept { return ask; }); });
    expect_reaches([](auto ask) { return coex::just_stopped() | coex::let_stopped([ask]() noexcept { return ask; }); });
}

TEST_F(move_only_environment, reaches_each_of_several_senders) {
    expect_reaches([](auto ask) { return coex::when_all(std::move(ask), just(1)); });
    expect_reaches([](auto ask) { return coex::when_all(just(1), std::move(ask)); });
    expect_reaches([](auto ask) { return coex::when_all_with_variant(just(1), std::move(ask)); });
    expect_reaches([](auto ask) { return coex::when_any(std::move(ask), just()); });
    expect_reaches([](auto ask) { return coex::stop_when(std::move(ask), just()); });
    expect_reaches([](auto ask) { return coex::stop_when(just(), std::move(ask)); });
    expect_reaches([](auto ask) { return coex::finally(std::move(ask), just()); });
    expect_reaches([](auto ask) { return coex::finally(just(), std::move(ask)); });
}

TEST_F(move_only_environment, reaches_a_sender_whose_result_takes_another_form) {
    expect_reaches([](auto ask) { return coex::into_variant(std::move(ask)); });
    expect_reaches([](auto ask) { return coex::as_result(std::move(ask)); });
    expect_reaches([](auto ask) { return coex::stopped_as_error(std::move(ask), 1); });
    expect_reaches(
        [](auto ask) { return coex::stopped_as_optional(std::move(ask) | then([]() noexcept { return 1; })); });
    expect_reaches([](auto ask) { return coex::unstoppable(std::move(ask)); });
    expect_reaches([](auto ask) { return coex::write_env(std::move(ask), coex::env<>()); });
}

TEST_F(move_only_environment, reaches_a_sender_that_runs_again_or_for_a_time) {
    expect_reaches([](auto ask) { return coex::repeat_until(ask | then([]() noexcept { return true; })); });
    expect_reaches([](auto ask) { return coex::retry(std::move(ask)); });
    expect_reaches([](auto ask) { return coex::timeout(std::move(ask), std::chrono::hours(1)); });
    expect_reaches([this](auto ask) {
        return coex::schedule_after(there, std::chrono::seconds(0)) | coex::let_value([ask]() noexcept { return ask; });
    });
}

TEST_F(move_only_environment, reaches_a_sender_on_another_scheduler) {
    expect_reaches([this](auto ask) { return coex::starts_on(there, std::move(ask)); });
    expect_reaches([this](auto ask) { return coex::continues_on(std::move(ask), there); });
    expect_reaches([this](auto ask) { return coex::on(there, std::move(ask)); });
    expect_reaches(
        [this](auto ask) { return just() | coex::on(there, coex::let_value([ask]() noexcept { return ask; })); });
    expect_reaches([](auto ask) { return coex::affine(std::move(ask)); });
}

TEST_F(move_only_environment, reaches_a_sender_in_a_scope) {
    coex::counting_scope scope;
    expect_reaches([&scope](auto ask) { return coex::associate(std::move(ask), scope.get_token()); });
    coex::block_on(scope.join());
}

coex::task<void> awaits(auto sender) {
    co_await std::move(sender);
}

// A task's own environment is of its place; what it is connected to need not be copyable all the same.
TEST_F(move_only_environment, may_be_that_of_a_tasks_receiver) {
    bool ran = false;
    int ends = 0;
    const auto connected = [&](auto work) {
        return coex::connect(std::move(work), lending_receiver(ends, environment()));
    };
    auto plain = connected(awaits(just() | then([&ran]() noexcept { ran = true; })));
    coex::start(plain);
    auto together = connected(coex::when_all(awaits(just()), awaits(just())));
    coex::start(together);
    run_places();
    EXPECT_TRUE(ran);
    EXPECT_EQ(ends, 2);
}

TEST_F(move_only_environment, may_be_written_before_that_of_the_receiver) {
    int seen = 0;
    EXPECT_TRUE(coex::sync_wait(coex::write_env(ask(seen), environment())));
    EXPECT_EQ(seen, 7);
}

TEST_F(move_only_environment, is_moved_into_spawned_work) {
    int seen = 0;
    coex::counting_scope scope;
    coex::spawn(ask(seen), scope.get_token(), environment());
    EXPECT_EQ(std::exchange(seen, 0), 7);
    auto future = coex::spawn_future(ask(seen), scope.get_token(), environment());
    EXPECT_EQ(seen, 7);
    EXPECT_TRUE(coex::sync_wait(std::move(future)));
    coex::block_on(scope.join());
}

/// A sender that says by what its operation is to be allocated.
template <class Sender>
class with_allocator {
public:
    using sender_concept = coex::sender_tag;

    explicit with_allocator(Sender sender) : sender_(std::move(sender)) {}
    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return coex::get_completion_signatures<Sender, Env...>();
    }
    template <coex::receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return coex::connect(std::move(sender_), std::move(receiver));
    }
    [[nodiscard]] auto get_env() const noexcept { return coex::prop(coex::get_allocator, std::allocator<std::byte>()); }

private:
    Sender sender_;
};

TEST_F(move_only_environment, is_moved_into_spawned_work_that_brings_its_allocator) {
    int seen = 0;
    coex::counting_scope scope;
    coex::spawn(with_allocator(ask(seen)), scope.get_token(), environment());
    EXPECT_EQ(seen, 7);
    coex::block_on(scope.join());
}

/// An Environment of tasks that is made of the environment of their receivers.
class marked {
public:
    template <class Env>
        requires requires(const Env& env) { env.query(get_mark); }
    explicit marked(const Env& env) : mark_(std::make_unique<int>(env.query(get_mark))) {}
    [[nodiscard]] int query(get_mark_t) const noexcept { return *mark_; }

private:
    std::unique_ptr<int> mark_;
};
static_assert(!std::copy_constructible<marked>);

coex::task<int, marked> mark_in_a_task() {
    co_return co_await coex::read_env(get_mark);
}
coex::task<int, marked> mark_in_a_task_in_a_task() {
    co_return co_await mark_in_a_task();
}

TEST_F(move_only_environment, may_be_the_environment_of_a_task) {
    const auto mark_of = [this](auto work) {
        return std::get<0>(coex::sync_wait(coex::write_env(std::move(work), environment())).value());
    };
    EXPECT_EQ(mark_of(mark_in_a_task()), 7);
    EXPECT_EQ(mark_of(mark_in_a_task_in_a_task()), 7);
    EXPECT_EQ(mark_of(coex::when_all(mark_in_a_task(), just())), 7);
}

/// Keeps what the Environment is made of, which only moves either.
struct made_of_own_env {
    template <class Env>
    class env_type {
    public:
        explicit env_type(const Env& env) : mark(std::make_unique<int>(env.query(get_mark))) {}
        std::unique_ptr<int> mark;
    };
    template <class OwnEnv>
        requires requires(const OwnEnv& own) { *own.mark; }
    explicit made_of_own_env(const OwnEnv& own) noexcept : mark(own.mark.get()) {}
    made_of_own_env(made_of_own_env&&) = delete;
    [[nodiscard]] int query(get_mark_t) const noexcept { return *mark; }

    const int* mark;
};

coex::task<int, made_of_own_env> mark_of_own_env() {
    co_return co_await coex::read_env(get_mark);
}

TEST_F(move_only_environment, may_be_what_the_environment_of_a_task_is_made_of) {
    auto work = coex::write_env(mark_of_own_env(), environment());
    EXPECT_EQ(std::get<0>(coex::sync_wait(std::move(work)).value()), 7);
}

}  // namespace
