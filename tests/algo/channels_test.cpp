// [exec.recv] What an adaptor does not handle passes through it: values, errors of any type and stops, once, whether
// the sender inside completes in start() or later; and so does a stop request, in the other direction.

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
#include <exec/algo/retry.hpp>
#include <exec/algo/spawn_future.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/algo/stop_when.hpp>
#include <exec/algo/stopped_as.hpp>
#include <exec/algo/then.hpp>
#include <exec/algo/timeout.hpp>
#include <exec/algo/when_all.hpp>
#include <exec/algo/when_any.hpp>
#include <exec/algo/write_env.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/vocab/execution_context.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

namespace {

using namespace coex_test;
using coex::just;
using coex::just_error;
using coex::just_stopped;

struct channels : testing::Test {
    template <class Adapt>
    void expect_values_pass(const char* name, Adapt adapt) {
        SCOPED_TRACE(name);
        expect_value(adapt(just(5)));
        hand<int> by;
        expect_value(adapt(handed<int>(by)), [&by] { by.give(5); });
    }
    template <class Adapt>
    void expect_errors_pass(const char* name, Adapt adapt) {
        SCOPED_TRACE(name);
        EXPECT_EQ(ending_of(adapt(just_error(7))).error, "7");
        hand<> by;
        EXPECT_EQ(ending_of(adapt(handed<>(by)), [&by] { by.fail(failure("later")); }).error, "later");
    }
    template <class Adapt>
    void expect_stops_pass(const char* name, Adapt adapt) {
        SCOPED_TRACE(name);
        EXPECT_EQ(ending_of(adapt(just_stopped())).how, "stopped");
        hand<> by;
        EXPECT_EQ(ending_of(adapt(handed<>(by)), [&by] { by.stop(); }).how, "stopped");
    }
    template <class Adapt>
    void expect_requests_pass(const char* name, Adapt adapt, const std::string& ends_as = "stopped") {
        SCOPED_TRACE(name);
        hand<> before;
        coex::inplace_stop_source early;
        early.request_stop();
        EXPECT_EQ(ending_under(early.get_token(), adapt(handed<>(before)), [] {}).how, ends_as);
        EXPECT_EQ(before.started, before.stop_seen) << "what is started sees the request";
        hand<> during;
        coex::inplace_stop_source timely;
        EXPECT_EQ(ending_under(timely.get_token(), adapt(handed<>(during)), [&] { timely.request_stop(); }).how,
                  ends_as);
        EXPECT_TRUE(during.stop_seen);
        hand<> after;
        coex::inplace_stop_source late;
        EXPECT_EQ(ending_under(late.get_token(), adapt(handed<>(after)), [&after] { after.give(); }).how, "value");
        late.request_stop();
        EXPECT_FALSE(after.stop_seen);
    }
    /// All of these.
    template <class Adapt>
    void expect_transparent(const char* name, Adapt adapt) {
        expect_values_pass(name, adapt);
        expect_errors_pass(name, adapt);
        expect_stops_pass(name, adapt);
        expect_requests_pass(name, adapt);
    }

    manual_context there_context;
    manual_context home_context;
    coex::context_scheduler there{there_context};
    coex::context_scheduler home{home_context};

private:
    /// How it ended, whatever the values.
    struct ending {
        std::string how;
        std::string error;
        int completions = 0;
        int value = 0;
    };
    template <class Env>
    class noting_receiver {
    public:
        using receiver_concept = coex::receiver_tag;

        noting_receiver(ending& into, Env env) noexcept : into_(&into), env_(std::move(env)) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            note("value");
            if constexpr (sizeof...(Values) == 1) {
                if constexpr ((requires { into_->value = values; } && ...)) ((into_->value = values), ...);
            }
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            note("error");
            if constexpr (requires { into_->value = error; }) {
                into_->error = std::to_string(error);
            } else {
                into_->error = message_of(coex::detail::as_exception(std::forward<Error>(error)));
            }
        }
        void set_stopped() && noexcept { note("stopped"); }
        [[nodiscard]] const Env& get_env() const noexcept { return env_; }

    private:
        void note(const char* how) noexcept {
            into_->how = how;
            ++into_->completions;
        }

        ending* into_;
        Env env_;
    };

    void run_places() {
        while (there_context.run_all() + home_context.run_all() > 0) {
        }
    }
    template <class Sender, class After>
    [[nodiscard]] ending ending_under(coex::inplace_stop_token token, Sender sender, After after) {
        ending result;
        const coex::env environment{coex::prop(coex::get_start_scheduler, home), coex::prop(coex::get_scheduler, home),
                                    coex::prop(coex::get_stop_token, token)};
        using environment_type = std::remove_const_t<decltype(environment)>;
        auto operation = coex::connect(std::move(sender), noting_receiver<environment_type>(result, environment));
        coex::start(operation);
        run_places();
        after();
        run_places();
        EXPECT_EQ(result.completions, 1);
        return result;
    }
    template <class Sender, class After>
    [[nodiscard]] ending ending_of(Sender sender, After after) {
        return ending_under({}, std::move(sender), after);
    }
    template <class Sender>
    [[nodiscard]] ending ending_of(Sender sender) {
        return ending_under({}, std::move(sender), [] {});
    }
    template <class Sender, class After>
    void expect_value(Sender sender, After after) {
        const ending result = ending_under({}, std::move(sender), after);
        EXPECT_EQ(result.how, "value");
        EXPECT_EQ(result.value, 5);
    }
    template <class Sender>
    void expect_value(Sender sender) {
        expect_value(std::move(sender), [] {});
    }
};

TEST_F(channels, pass_where_a_function_does_not_handle_them) {
    const auto nothing = [](auto&&...) noexcept {};
    expect_errors_pass("then", [&](auto work) { return std::move(work) | coex::then(nothing); });
    expect_stops_pass("then", [&](auto work) { return std::move(work) | coex::then(nothing); });
    expect_values_pass("upon_error",
                       [](auto work) { return std::move(work) | coex::upon_error([](auto&&) noexcept { return 0; }); });
    expect_stops_pass("upon_error", [&](auto work) { return std::move(work) | coex::upon_error(nothing); });
    expect_values_pass("upon_stopped",
                       [](auto work) { return std::move(work) | coex::upon_stopped([]() noexcept { return 0; }); });
    expect_errors_pass("upon_stopped", [&](auto work) { return std::move(work) | coex::upon_stopped(nothing); });
    expect_requests_pass(
        "upon_stopped", [&](auto work) { return std::move(work) | coex::upon_stopped(nothing); }, "value");
}

TEST_F(channels, pass_where_let_does_not_handle_them) {
    const auto nothing = [](auto&&...) noexcept { return just(); };
    expect_errors_pass("let_value", [&](auto work) { return std::move(work) | coex::let_value(nothing); });
    expect_stops_pass("let_value", [&](auto work) { return std::move(work) | coex::let_value(nothing); });
    expect_values_pass("let_error", [](auto work) {
        return std::move(work) | coex::let_error([](auto&) noexcept { return just(0); });
    });
    expect_stops_pass("let_error", [&](auto work) { return std::move(work) | coex::let_error(nothing); });
    expect_values_pass("let_stopped", [](auto work) {
        return std::move(work) | coex::let_stopped([]() noexcept { return just(0); });
    });
    expect_errors_pass("let_stopped", [&](auto work) { return std::move(work) | coex::let_stopped(nothing); });
}

TEST_F(channels, pass_into_the_sender_that_a_function_of_let_returns_and_out_of_it) {
    expect_transparent("let_value", [](auto work) {
        return just() | coex::let_value([work = std::move(work)]() noexcept { return work; });
    });
    expect_transparent("let_error", [](auto work) {
        return just_error('x') | coex::let_error([work = std::move(work)](char&) noexcept { return work; });
    });
    expect_transparent("let_stopped", [](auto work) {
        return just_stopped() | coex::let_stopped([work = std::move(work)]() noexcept { return work; });
    });
}

TEST_F(channels, pass_through_bulk) {
    const auto nothing = [](auto&&...) noexcept {};
    const auto all = [&](auto policy) {
        expect_transparent("bulk", [&](auto work) { return std::move(work) | coex::bulk(policy, 3, nothing); });
        expect_transparent("bulk_chunked",
                           [&](auto work) { return std::move(work) | coex::bulk_chunked(policy, 3, nothing); });
        expect_transparent("bulk_unchunked",
                           [&](auto work) { return std::move(work) | coex::bulk_unchunked(policy, 3, nothing); });
        expect_transparent("bulk on a place", [&](auto work) {
            return std::move(work) | coex::continues_on(there) | coex::bulk(policy, 3, nothing);
        });
    };
    all(coex::seq);
    all(coex::par);
}

TEST_F(channels, pass_from_one_place_to_another) {
    expect_transparent("starts_on", [this](auto work) { return coex::starts_on(there, std::move(work)); });
    expect_transparent("continues_on", [this](auto work) { return coex::continues_on(std::move(work), there); });
    expect_transparent("on", [this](auto work) { return coex::on(there, std::move(work)); });
    expect_errors_pass("on, with a closure", [this](auto work) {
        return std::move(work) | coex::on(there, coex::then([](auto&&...) noexcept {}));
    });
    expect_stops_pass("on, with a closure", [this](auto work) {
        return std::move(work) | coex::on(there, coex::then([](auto&&...) noexcept {}));
    });
    expect_transparent("affine", [](auto work) { return coex::affine(std::move(work)); });
}

TEST_F(channels, pass_through_what_gathers_several_senders) {
    expect_transparent("when_all", [](auto work) { return coex::when_all(std::move(work)); });
    expect_transparent("when_all, beside another", [](auto work) { return coex::when_all(just(), std::move(work)); });
    expect_transparent("when_any", [](auto work) { return coex::when_any(std::move(work)); });
    expect_transparent("finally", [](auto work) { return coex::finally(std::move(work), just()); });
    expect_transparent("finally, waiting",
                       [this](auto work) { return coex::finally(std::move(work), coex::schedule(there)); });
}

TEST_F(channels, pass_through_what_gives_the_result_another_form) {
    expect_errors_pass("into_variant", [](auto work) { return coex::into_variant(std::move(work)); });
    expect_stops_pass("into_variant", [](auto work) { return coex::into_variant(std::move(work)); });
    expect_requests_pass("into_variant", [](auto work) { return coex::into_variant(std::move(work)); });
    expect_stops_pass("as_result", [](auto work) { return coex::as_result(std::move(work)); });
    expect_requests_pass("as_result", [](auto work) { return coex::as_result(std::move(work)); });
    expect_values_pass("stopped_as_error", [](auto work) { return coex::stopped_as_error(std::move(work), 1); });
    expect_errors_pass("stopped_as_error", [](auto work) { return coex::stopped_as_error(std::move(work), 1); });
    expect_requests_pass(
        "stopped_as_error", [](auto work) { return coex::stopped_as_error(std::move(work), 1); }, "error");
    expect_errors_pass("with_variant", [](auto work) { return coex::when_all_with_variant(std::move(work), just()); });
    expect_stops_pass("with_variant", [](auto work) { return coex::when_all_with_variant(std::move(work), just()); });
}

TEST_F(channels, pass_through_what_limits_or_repeats) {
    expect_values_pass("retry", [](auto work) { return coex::retry(std::move(work)); });
    expect_stops_pass("retry", [](auto work) { return coex::retry(std::move(work)); });
    expect_requests_pass("retry", [](auto work) { return coex::retry(std::move(work)); });
    expect_transparent("retry, once", [](auto work) { return coex::retry(std::move(work), 1); });
    expect_transparent("timeout", [](auto work) { return coex::timeout(std::move(work), std::chrono::hours(1)); });
    expect_values_pass("unstoppable", [](auto work) { return coex::unstoppable(std::move(work)); });
    expect_errors_pass("unstoppable", [](auto work) { return coex::unstoppable(std::move(work)); });
    expect_stops_pass("unstoppable", [](auto work) { return coex::unstoppable(std::move(work)); });
    expect_transparent("write_env", [](auto work) { return coex::write_env(std::move(work), coex::env<>()); });
}

TEST_F(channels, pass_through_a_scope) {
    coex::counting_scope scope;
    expect_transparent("associate", [&](auto work) { return coex::associate(std::move(work), scope.get_token()); });
    expect_transparent("spawn_future",
                       [&](auto work) { return coex::spawn_future(std::move(work), scope.get_token()); });
    ASSERT_TRUE(coex::sync_wait(scope.join()));
}

TEST_F(channels, pass_through_any_sender_of) {
    expect_transparent("any_sender_of", [](auto work) {
        using any = coex::any_sender_of<coex::set_value_t(), coex::set_value_t(int), coex::set_error_t(int),
                                        coex::set_error_t(std::exception_ptr), coex::set_stopped_t()>;
        return any(std::move(work));
    });
}

}  // namespace
