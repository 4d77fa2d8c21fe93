// [exec.task]: task<T, Environment>, clause by clause.

#include <exec/coro/environment_task.hpp>

#include "coro/manual_context.hpp"
#include "coro/support.hpp"

#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/when_all.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/io/timer.hpp>
#include <exec/vocab/read_env.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <memory_resource>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

namespace {

using coex::sync_wait;
using coex::task;
using coex::with_error;
using coex_test::counted;

// --- [task.class] member types ------------------------------------------------------------------------------------

struct plain {};
static_assert(std::same_as<task<int, plain>::allocator_type, std::allocator<std::byte>>);
static_assert(std::same_as<task<int, plain>::start_scheduler_type, coex::context_scheduler>);
static_assert(std::same_as<task<int, plain>::stop_source_type, coex::inplace_stop_source>);
static_assert(std::same_as<task<int, plain>::stop_token_type, coex::inplace_stop_token>);
static_assert(
    std::same_as<task<int, plain>::error_types, coex::completion_signatures<coex::set_error_t(std::exception_ptr)>>);
static_assert(std::same_as<task<int>, task<int, coex::env<>>>);
static_assert(std::same_as<task<int>::allocator_type, std::allocator<std::byte>>);
static_assert(std::same_as<task<int>::stop_token_type, coex::inplace_stop_token>);

struct never_source {
    [[nodiscard]] static coex::never_stop_token get_token() noexcept { return {}; }
    [[nodiscard]] static bool request_stop() noexcept { return false; }
};

struct rich {
    using allocator_type = std::pmr::polymorphic_allocator<std::byte>;
    using stop_source_type = never_source;
    using error_types = coex::completion_signatures<coex::set_error_t(std::error_code), coex::set_error_t(int)>;
};
static_assert(std::same_as<task<int, rich>::allocator_type, std::pmr::polymorphic_allocator<std::byte>>);
static_assert(std::same_as<task<int, rich>::stop_token_type, coex::never_stop_token>);
static_assert(coex::sender<task<int, rich>>);
static_assert(std::same_as<coex::completion_signatures_of_t<task<int, rich>, coex::env<>>,
                           coex::completion_signatures<coex::set_value_t(int), coex::set_error_t(std::error_code),
                                                       coex::set_error_t(int), coex::set_stopped_t()>>);
static_assert(std::same_as<coex::completion_signatures_of_t<task<void, plain>, coex::env<>>,
                           coex::completion_signatures<coex::set_value_t(), coex::set_error_t(std::exception_ptr),
                                                       coex::set_stopped_t()>>);

// --- values -------------------------------------------------------------------------------------------------------

enum class when : unsigned char { at_once, after_waiting };
task<> wait_if(when time) {
    if (time == when::after_waiting) co_await coex::sleep_for(std::chrono::milliseconds(1));
}

/// For those who look at effects only.
template <class Work>
void run(Work work) {
    static_cast<void>(sync_wait(std::move(work)));
}

class environment_task : public testing::TestWithParam<when> {};
INSTANTIATE_TEST_SUITE_P(, environment_task, testing::Values(when::at_once, when::after_waiting),
                         [](const auto& each) { return each.param == when::at_once ? "at_once" : "after_waiting"; });

TEST_P(environment_task, completes_with_its_value) {
    const auto body = [](when time) -> task<std::unique_ptr<int>, plain> {
        co_await wait_if(time);
        co_return std::make_unique<int>(4);
    };
    auto sent = sync_wait(body(GetParam()));
    ASSERT_TRUE(sent.has_value());
    EXPECT_EQ(*std::get<0>(*sent), 4);

    const auto parent = [&]() -> task<int> { co_return *co_await body(GetParam()); };
    EXPECT_EQ(coex::block_on(parent()), 4) << "awaited in a task<T>";
    const auto relative = [&]() -> task<int, rich> { co_return *co_await body(GetParam()); };
    EXPECT_EQ(std::get<0>(*sync_wait(relative())), 4) << "awaited in a task with another environment";
}

TEST_P(environment_task, completes_with_nothing_and_with_references) {
    int object = 1;
    const auto nothing = [](when time) -> task<void, plain> { co_await wait_if(time); };
    EXPECT_TRUE(sync_wait(nothing(GetParam())).has_value());
    const auto refer = [](int& which, when time) -> task<int&, plain> {
        co_await wait_if(time);
        co_return which;
    };
    int* found = nullptr;
    run(refer(object, GetParam()) | coex::then([&](int& which) noexcept { found = &which; }));
    EXPECT_EQ(found, &object);
}

TEST_P(environment_task, is_connected_to_adaptors_and_run_beside_others) {
    const auto body = [](when time, int value) -> task<int, plain> {
        co_await wait_if(time);
        co_return value;
    };
    auto sent = sync_wait(coex::when_all(
        body(GetParam(), 1), body(GetParam(), 2) | coex::then([](int value) noexcept { return value * 10; })));
    EXPECT_EQ(sent, std::tuple(1, 20));
}

TEST_P(environment_task, resumes_where_it_was_and_completes_where_it_was_started) {
    coex::static_thread_pool pool{coex::pool_options{.threads = 1}};
    coex::static_thread_pool other{coex::pool_options{.threads = 1}};
    bool moved = false;
    bool back = false;
    const auto body = [&](when time) -> task<void, plain> {
        co_await other.schedule();
        co_await wait_if(time);
        moved = coex_test::is_on(other);
    };
    const auto parent = [&]() -> task<> {
        co_await pool.schedule();
        co_await body(GetParam());
        back = coex_test::is_on(pool);
    };
    coex::block_on(parent());
    EXPECT_TRUE(moved);
    EXPECT_TRUE(back);
}

// --- [task.promise] errors ----------------------------------------------------------------------------------------

TEST_P(environment_task, unhandled_exception_completes_with_exception_ptr_when_error_types_has_it) {
    const auto body = [](when time) -> task<int, plain> {
        co_await wait_if(time);
        throw std::runtime_error("thrown");
    };
    EXPECT_THROW(run(body(GetParam())), std::runtime_error);
}

TEST_P(environment_task, yield_value_with_error_completes_with_set_error_of_that_type) {
    const auto body = [](when time, bool code) -> task<int, rich> {
        const counted local;
        co_await wait_if(time);
        if (code) co_yield with_error(std::make_error_code(std::errc::timed_out));
        co_yield with_error(7);
        ADD_FAILURE() << "went on after co_yield with_error";
        co_return 0;
    };
    const auto seen = [&](bool code) {
        std::string how;
        run(body(GetParam(), code) | coex::then([&](int) noexcept { how = "value"; }) |
            coex::let_error([&]<class Error>(Error&) noexcept {
                how = std::same_as<Error, int> ? "int" : "error_code";
                return coex::just();
            }));
        return how;
    };
    EXPECT_EQ(seen(true), "error_code");
    EXPECT_EQ(seen(false), "int");
    EXPECT_EQ(counted::live, 0);
}

TEST_P(environment_task, typed_errors_are_thrown_where_it_is_awaited) {
    const auto body = [](when time) -> task<int, rich> {
        co_await wait_if(time);
        co_yield with_error(std::make_error_code(std::errc::timed_out));
        co_return 0;
    };
    const auto parent = [&]() -> task<> {
        try {
            co_await body(GetParam());
            ADD_FAILURE() << "no error";
        } catch (const std::system_error& caught) {
            EXPECT_EQ(caught.code(), std::errc::timed_out);
        }
    };
    coex::block_on(parent());
}

struct text_errors {
    using error_types =
        coex::completion_signatures<coex::set_error_t(std::string), coex::set_error_t(std::exception_ptr)>;
};

TEST(task_environment, destroys_a_typed_error_that_nobody_takes) {
    const auto body = [](bool fails) -> task<int, text_errors> {
        if (fails) co_yield with_error(std::string(100, 'x'));
        co_return 1;
    };
    EXPECT_THROW(run(body(true)), std::string);
    EXPECT_EQ(std::get<0>(*sync_wait(body(false))), 1);
    EXPECT_THROW(run(coex::when_all(body(true), body(true))), std::string);
}

struct no_errors {
    using error_types = coex::completion_signatures<>;
};

TEST(task_environment_death, unhandled_exception_terminates_when_error_types_has_no_exception_ptr) {
    const auto body = []() -> task<int, no_errors> {
        throw 1;
        co_return 0;
    };
    EXPECT_DEATH(run(body()), "terminat");
}

// --- [task.promise] stopped and stop tokens -----------------------------------------------------------------------

TEST(task_environment, completes_stopped_and_destroys_its_variables_when_what_it_awaits_is_stopped) {
    const auto body = []() -> task<int, plain> {
        const counted local;
        co_await coex::just_stopped();
        ADD_FAILURE() << "went on";
        co_return 0;
    };
    EXPECT_FALSE(sync_wait(body()).has_value());
    EXPECT_EQ(counted::live, 0);
}

TEST(task_environment, has_the_stop_token_of_its_receiver) {
    coex::inplace_stop_source source;
    const auto body = [&]() -> task<void, plain> {
        const auto token = co_await coex::read_env(coex::get_stop_token);
        EXPECT_EQ(token, source.get_token());
        source.request_stop();
        co_await coex::sleep_for(std::chrono::hours(1));
        ADD_FAILURE() << "was not stopped";
    };
    EXPECT_FALSE(sync_wait(body(), source.get_token()).has_value());
}

// A source of a type of its own, whose token is not the one that coroutines know.
struct own_token : coex::inplace_stop_token {
    explicit own_token(coex::inplace_stop_token token) noexcept : coex::inplace_stop_token(token) {}
};
struct own_source {
    [[nodiscard]] own_token get_token() const noexcept { return own_token(source.get_token()); }
    void request_stop() noexcept { source.request_stop(); }
    coex::inplace_stop_source source;
};
struct own_source_environment {
    using stop_source_type = own_source;
};

TEST(task_environment, stop_source_type_is_stopped_when_the_receivers_token_is) {
    coex::inplace_stop_source source;
    const auto body = [&]() -> task<void, own_source_environment> {
        const own_token token = co_await coex::read_env(coex::get_stop_token);
        EXPECT_FALSE(token.stop_requested());
        source.request_stop();
        EXPECT_TRUE(token.stop_requested());
        co_await coex::sleep_for(std::chrono::hours(1));
        ADD_FAILURE() << "was not stopped";
    };
    EXPECT_FALSE(sync_wait(body(), source.get_token()).has_value());
}

TEST(task_environment, a_stop_source_type_that_never_stops_shields_the_task) {
    coex::inplace_stop_source source;
    source.request_stop();
    const auto body = []() -> task<int, rich> {
        co_await coex::sleep_for(std::chrono::milliseconds(1));
        co_return 1;
    };
    EXPECT_EQ(sync_wait(body(), source.get_token()), std::tuple(1));
}

// --- [task.state] environments ------------------------------------------------------------------------------------

struct get_name_t : coex::forwarding_query_t {
    template <class Env>
    [[nodiscard]] auto operator()(const Env& env) const noexcept -> decltype(env.query(*this)) {
        return env.query(*this);
    }
};
inline constexpr get_name_t get_name{};
struct get_secret_t {
    template <class Env>
    [[nodiscard]] auto operator()(const Env& env) const noexcept -> decltype(env.query(*this)) {
        return env.query(*this);
    }
};

struct named {
    named() = default;
    explicit named(const auto& env)
        requires requires { get_name(env); }
        : name(get_name(env)) {}
    [[nodiscard]] const std::string& query(get_name_t) const noexcept { return name; }
    [[nodiscard]] int query(get_secret_t) const noexcept { return 1; }
    std::string name = "nobody";
};

task<std::string, named> tell_name() {
    co_return co_await coex::read_env(get_name);
}

TEST(task_environment, environment_is_made_of_the_receivers_environment_when_it_can_be) {
    const std::string name = "somebody";
    EXPECT_EQ(sync_wait(coex::write_env(tell_name(), coex::prop(get_name, name))), std::tuple(name));
}

TEST(task_environment, environment_is_made_of_nothing_otherwise) {
    EXPECT_EQ(sync_wait(tell_name()), std::tuple(std::string("nobody")));
}

TEST(task_environment, its_answers_reach_the_tasks_that_it_awaits) {
    const auto parent = []() -> task<std::string, named> { co_return co_await tell_name(); };
    EXPECT_EQ(sync_wait(coex::write_env(parent(), coex::prop(get_name, std::string("inherited")))),
              std::tuple(std::string("inherited")));
}

static_assert(coex::detail::answers<coex::detail::environment_task_env<int, named>, get_name_t>);
static_assert(!coex::detail::answers<coex::detail::environment_task_env<int, named>, get_secret_t>,
              "only forwarding queries are forwarded");

template <class Env>
struct kept_name {
    explicit kept_name(const Env& env) : name(env.query(get_name) + " kept") {}
    std::string name;
};
struct keeping {
    template <class Env>
    using env_type = kept_name<Env>;
    explicit keeping(const auto& own)
        requires requires { own.name; }
        : own_name(&own.name) {}
    [[nodiscard]] const std::string& query(get_name_t) const noexcept { return *own_name; }
    const std::string* own_name;
};

TEST(task_environment, environment_is_made_of_env_type_first) {
    const auto body = []() -> task<std::string, keeping> { co_return co_await coex::read_env(get_name); };
    EXPECT_EQ(sync_wait(coex::write_env(body(), coex::prop(get_name, std::string("name")))),
              std::tuple(std::string("name kept")));
}

// --- scheduler ----------------------------------------------------------------------------------------------------

class wrapped_scheduler {
public:
    using scheduler_concept = coex::scheduler_tag;
    explicit wrapped_scheduler(coex::context_scheduler inner) noexcept : inner_(inner) {}
    [[nodiscard]] auto schedule() const noexcept { return inner_.schedule(); }
    [[nodiscard]] coex::execution_context& context() const noexcept { return inner_.context(); }
    friend bool operator==(const wrapped_scheduler&, const wrapped_scheduler&) noexcept = default;

private:
    coex::context_scheduler inner_;
};
struct old_name {
    using scheduler_type = wrapped_scheduler;
};
struct new_name {
    using start_scheduler_type = wrapped_scheduler;
};
struct both_names {
    using start_scheduler_type = wrapped_scheduler;
    using scheduler_type = int;
};
static_assert(std::same_as<task<int, both_names>::start_scheduler_type, wrapped_scheduler>);

TEST(task_environment, start_scheduler_type_is_what_get_start_scheduler_and_get_scheduler_give) {
    static_assert(std::same_as<task<int, old_name>::start_scheduler_type, wrapped_scheduler>);
    const auto body = []() -> task<bool, new_name> {
        const wrapped_scheduler start = co_await coex::read_env(coex::get_start_scheduler);
        const wrapped_scheduler same = co_await coex::read_env(coex::get_scheduler);
        co_return start == same;
    };
    EXPECT_EQ(sync_wait(body()), std::tuple(true));
}

}  // namespace
