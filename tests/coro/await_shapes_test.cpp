// The shapes in which tasks and when_all are awaited: see await_shapes.hpp.

#include "coro/await_shapes.hpp"

#include <exec/coro/when_all.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using coex::task;
using coex::when_all;
using coex_test::counted;
using coex_test::ending;

using await_shapes = coex_test::await_shapes;

INSTANTIATE_TEST_SUITE_P(endings, await_shapes, coex_test::all_endings());

TEST_P(await_shapes, a_call) {
    run([this]() -> task<> { co_await plain(); });
}

TEST_P(await_shapes, a_call_with_a_temporary_by_value) {
    run([this]() -> task<> { co_await by_value(counted(2)); });
}

TEST_P(await_shapes, a_call_with_a_temporary_by_const_reference) {
    run([this]() -> task<> { co_await by_reference(counted(2)); });
}

TEST_P(await_shapes, a_call_with_a_temporary_by_rvalue_reference) {
    run([this]() -> task<> { co_await by_rvalue(counted(2)); });
}

TEST_P(await_shapes, a_call_with_a_copy) {
    run([this]() -> task<> {
        const counted around(5);
        co_await by_value(around);
    });
}

TEST_P(await_shapes, a_call_with_a_moved_local) {
    run([this]() -> task<> {
        counted x(2);
        co_await by_value(std::move(x));
    });
}

TEST_P(await_shapes, a_call_with_a_literal_that_becomes_a_string) {
    run([this]() -> task<> { co_await text("long enough to be put on the heap, surely"); });
}

TEST_P(await_shapes, a_call_with_a_string) {
    run([this]() -> task<> { co_await text(std::string(100, 'x')); });
}

TEST_P(await_shapes, a_call_with_a_unique_pointer) {
    run([this]() -> task<> { co_await pointer(std::make_unique<counted>(2)); });
}

TEST_P(await_shapes, a_call_with_a_named_closure) {
    run([this]() -> task<> {
        const counted around(5);
        const auto f = [around] { return around.value; };
        co_await call(f);
    });
}

TEST_P(await_shapes, a_call_with_a_closure_that_captures_references) {
    run([this]() -> task<> {
        const counted around(5);
        co_await call([&around] { return around.value; });
    });
}

TEST_P(await_shapes, a_named_task) {
    run([this]() -> task<> {
        auto work = by_value(counted(2));
        co_await std::move(work);
    });
}

TEST_P(await_shapes, a_result_that_is_kept) {
    run([this]() -> task<> {
        const counted result = co_await plain();
        EXPECT_EQ(result.value, 1);
    });
}

TEST_P(await_shapes, a_result_bound_to_a_reference) {
    run([this]() -> task<> {
        const auto& result = co_await plain();
        EXPECT_EQ(result.value, 1);
    });
}

TEST_P(await_shapes, a_result_that_is_assigned) {
    run([this]() -> task<> {
        counted result;
        result = co_await plain();
        EXPECT_EQ(result.value, 1);
    });
}

TEST_P(await_shapes, a_result_passed_on) {
    run([this]() -> task<> { co_await by_value(co_await plain()); });
}

TEST_P(await_shapes, a_member_of_a_result) {
    run([this]() -> task<> { EXPECT_EQ((co_await plain()).value, 1); });
}

TEST_P(await_shapes, two_awaits_in_a_sum) {
    run([this]() -> task<> {
        const int sum = (co_await plain()).value + (co_await by_value(counted(2))).value;
        EXPECT_EQ(sum, 3);
    });
}

TEST_P(await_shapes, two_awaits_in_a_conjunction) {
    run([this]() -> task<> { EXPECT_FALSE(co_await truth(true) && co_await truth(false)); });
}

TEST_P(await_shapes, two_awaits_in_a_disjunction) {
    run([this]() -> task<> { EXPECT_TRUE(co_await truth(false) || co_await truth(true)); });
}

TEST_P(await_shapes, an_await_of_a_number_in_a_conditional) {
    run([this]() -> task<> {
        const counted around(5);
        const bool yes = around.value == 5;
        const int n = yes ? co_await text("four") : 0;
        EXPECT_EQ(n, 4);
    });
}

TEST_P(await_shapes, an_await_in_an_if) {
    run([this]() -> task<> {
        if (!co_await truth(true)) ADD_FAILURE();
    });
}

TEST_P(await_shapes, an_await_in_a_while) {
    run([this]() -> task<> {
        int n = 0;
        while (co_await truth(n < 3)) ++n;
        EXPECT_EQ(n, 3);
    });
}

TEST_P(await_shapes, an_await_in_a_for) {
    run([this]() -> task<> {
        for (int i = co_await text("four"); i < 5; ++i) EXPECT_EQ(i, 4);
    });
}

TEST_P(await_shapes, an_await_in_a_switch) {
    run([this]() -> task<> {
        switch (co_await text("four")) {
            case 4:
                break;
            default:
                ADD_FAILURE();
        }
    });
}

TEST_P(await_shapes, an_await_in_a_try) {
    run([this]() -> task<> {
        try {
            co_await by_value(counted(2));
        } catch (const std::runtime_error&) {
            EXPECT_EQ(GetParam(), ending::error);
        }
    });
}

TEST_P(await_shapes, an_await_of_what_a_lambda_returns) {
    run([this]() -> task<> { co_await [this] { return plain(); }(); });
}

TEST_P(await_shapes, a_pair_by_its_constructor) {
    run([this]() -> task<> { co_await by_value(std::pair<counted, int>(counted(2), 1).first); });
}

TEST_P(await_shapes, when_all_of_calls) {
    run([this]() -> task<> { co_await when_all(plain(), by_value(counted(2))); });
}

TEST_P(await_shapes, when_all_of_calls_with_its_results) {
    run([this]() -> task<> {
        const auto [a, b] = co_await when_all(plain(), by_value(counted(2)));
        EXPECT_EQ(a.value + b.value, 3);
    });
}

TEST_P(await_shapes, when_all_of_calls_with_temporaries) {
    run([this]() -> task<> {
        co_await when_all(text("literal"), pointer(std::make_unique<counted>(2)), by_value(counted(3)));
    });
}

TEST_P(await_shapes, when_all_of_named_tasks) {
    run([this]() -> task<> {
        auto one = plain();
        auto two = by_value(counted(2));
        co_await when_all(std::move(one), std::move(two));
    });
}

TEST_P(await_shapes, when_all_of_a_named_vector) {
    run([this]() -> task<> {
        std::vector<task<counted>> tasks;
        tasks.push_back(plain());
        tasks.push_back(by_value(counted(2)));
        co_await when_all(std::move(tasks));
    });
}

TEST_P(await_shapes, when_all_of_a_vector_with_its_results) {
    run([this]() -> task<> {
        std::vector<task<counted>> tasks;
        tasks.push_back(plain());
        tasks.push_back(by_value(counted(2)));
        const auto results = co_await when_all(std::move(tasks));
        EXPECT_EQ(results[1].value, 2);
    });
}

TEST_P(await_shapes, when_all_in_two_statements) {
    run([this]() -> task<> {
        auto all = when_all(plain(), plain());
        co_await std::move(all);
    });
}

}  // namespace
