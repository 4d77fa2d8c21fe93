#pragma once

#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coex_test {

// --- asking for types
// ---------------------------------------------------------------------------------------------------

template <class A, class B>
inline constexpr bool same_set = false;
template <class... As, class... Bs>
inline constexpr bool same_set<coex::completion_signatures<As...>, coex::completion_signatures<Bs...>> =
    sizeof...(As) == sizeof...(Bs) && (coex::detail::contains<As, coex::completion_signatures<Bs...>> && ...);

/// True when the sender completes in just these ways in the environment.
template <class Sender, class Env, class... Signatures>
inline constexpr bool completes_in_with =
    same_set<coex::completion_signatures_of_t<Sender, Env>, coex::completion_signatures<Signatures...>>;
template <class Sender, class... Signatures>
inline constexpr bool completes_with = completes_in_with<Sender, coex::env<>, Signatures...>;

using can_throw = coex::set_error_t(std::exception_ptr);
using can_stop = coex::set_stopped_t();

// --- a receiver that remembers
// ------------------------------------------------------------------------------------------

[[nodiscard]] inline std::string message_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
        return thrown.what();
    } catch (...) {
        return "something";
    }
}

/// How an operation completed: "value", "error" or "stopped", and with what.
template <class... Values>
struct outcome {
    std::string how;
    int completions = 0;
    std::optional<std::tuple<Values...>> values;
    std::string error;            // the message of an exception, or the type of error
    std::function<void()> after;  // called last
};

template <class Env, class... Values>
class recorder {
public:
    using receiver_concept = coex::receiver_tag;

    recorder(outcome<Values...>& into, Env env) noexcept : into_(&into), env_(std::move(env)) {}

    template <class... Args>
    void set_value(Args&&... args) && noexcept {
        static_assert(std::constructible_from<std::tuple<Values...>, Args...>);
        into_->values.emplace(std::forward<Args>(args)...);
        note("value");
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        if constexpr (std::same_as<std::remove_cvref_t<Error>, std::exception_ptr>) {
            into_->error = message_of(error);
        } else if constexpr (std::same_as<std::remove_cvref_t<Error>, int>) {
            into_->error = std::to_string(error);
        } else {
            into_->error = "another";
        }
        note("error");
    }
    void set_stopped() && noexcept { note("stopped"); }
    [[nodiscard]] const Env& get_env() const noexcept { return env_; }

private:
    void note(const char* how) noexcept {
        into_->how = how;
        ++into_->completions;
        if (into_->after) into_->after();
    }

    outcome<Values...>* into_;
    Env env_;
};

/// An operation with a receiver that remembers. `Values` are the values expected.
template <class Sender, class Env, class... Values>
class running {
public:
    running(Sender&& sender, Env env)
        : operation_(coex::connect(std::forward<Sender>(sender), receiver(result, env))) {}

    running& start() {
        coex::start(operation_);
        return *this;
    }

    outcome<Values...> result;

private:
    using receiver = recorder<Env, Values...>;
    coex::connect_result_t<Sender, receiver> operation_;
};

template <class... Values, class Sender>
[[nodiscard]] auto connected(Sender&& sender) {
    return running<Sender, coex::env<>, Values...>(std::forward<Sender>(sender), {});
}
template <class... Values, class Sender, class Env>
[[nodiscard]] auto connected_in(Sender&& sender, Env env) {
    return running<Sender, Env, Values...>(std::forward<Sender>(sender), std::move(env));
}

/// Starts the sender, which must complete at once, and tells how it did.
template <class... Values, class Sender>
[[nodiscard]] outcome<Values...> run(Sender&& sender) {
    return std::move(connected<Values...>(std::forward<Sender>(sender)).start().result);
}
template <class... Values, class Sender, class Env>
[[nodiscard]] outcome<Values...> run_in(Sender&& sender, Env env) {
    return std::move(connected_in<Values...>(std::forward<Sender>(sender), std::move(env)).start().result);
}

// --- a sender that completes when it is told to
// -------------------------------------------------------------------------

/// The test's end of a `handed` sender: completes the operation that was started.
template <class... Values>
class hand {
public:
    bool started = false;
    bool stop_seen = false;
    bool stops_when_asked = true;

    void give(Values... values) { take()(0, std::move(values)...); }
    void fail(std::exception_ptr error) {
        error_ = std::move(error);
        complete(1);
    }
    void stop() { complete(2); }
    [[nodiscard]] bool is_waiting() const { return static_cast<bool>(complete_with_); }

    std::function<void(int, std::optional<std::tuple<Values...>>)> complete_with_;
    std::exception_ptr error_;

private:
    auto take() {
        return [this](int, Values... values) {
            std::exchange(complete_with_, nullptr)(0, std::tuple<Values...>(std::move(values)...));
        };
    }
    void complete(int how) { std::exchange(complete_with_, nullptr)(how, std::nullopt); }
};

template <class... Values>
class handed {
public:
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(Values...), can_throw, can_stop>;

    explicit handed(hand<Values...>& by) noexcept : by_(&by) {}

    template <class Receiver>
    class operation {
    public:
        using operation_state_concept = coex::operation_state_tag;

        operation(hand<Values...>& by, Receiver receiver) : by_(&by), receiver_(std::move(receiver)) {}
        operation(const operation&) = delete;
        operation& operator=(const operation&) = delete;

        void start() & noexcept {
            by_->started = true;
            by_->complete_with_ = [this](int how, std::optional<std::tuple<Values...>> values) {
                callback_.reset();
                if (how == 0) {
                    std::apply([&](auto&... each) { coex::set_value(std::move(receiver_), std::move(each)...); },
                               *values);
                } else if (how == 1) {
                    coex::set_error(std::move(receiver_), by_->error_);
                } else {
                    coex::set_stopped(std::move(receiver_));
                }
            };
            // A request made before runs the callback inside its constructor: it must not complete, and so end, us
            // there.
            starting_ = true;
            callback_.emplace(coex::get_stop_token(coex::get_env(receiver_)), on_stop(*this));
            starting_ = false;
            if (by_->stop_seen) end_if_asked();
        }

    private:
        class on_stop {
        public:
            explicit on_stop(operation& self) noexcept : self_(&self) {}
            void operator()() const noexcept {
                self_->by_->stop_seen = true;
                if (!self_->starting_) self_->end_if_asked();
            }

        private:
            operation* self_;
        };
        using token = coex::stop_token_of_t<coex::env_of_t<Receiver>>;

        void end_if_asked() const noexcept {
            if (by_->stops_when_asked && by_->is_waiting()) by_->stop();
        }

        hand<Values...>* by_;
        Receiver receiver_;
        bool starting_ = false;
        std::optional<coex::stop_callback_for_t<token, on_stop>> callback_;
    };

    template <coex::receiver Receiver>
    [[nodiscard]] operation<Receiver> connect(Receiver receiver) const {
        return {*by_, std::move(receiver)};
    }

private:
    hand<Values...>* by_;
};

// --- values that make trouble
// -------------------------------------------------------------------------------------------

/// Throws when it is copied or moved after `limit` times.
class fragile {
public:
    explicit fragile(int limit) noexcept : left_(limit) {}
    fragile(const fragile& other) : left_(other.left_) { count(); }
    fragile(fragile&& other) : left_(other.left_) { count(); }
    fragile& operator=(const fragile&) = delete;

private:
    void count() {
        if (left_-- == 0) throw std::runtime_error("fragile");
    }
    int left_;
};

/// Completes with a reference to `object`, as a value (`set_value_t`) or as an error (`set_error_t`), so that who wants
/// to keep it has to copy it.
template <class Tag, class T>
class lent {
public:
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<Tag(T&)>;

    explicit lent(T& object) noexcept : object_(&object) {}

    template <class Receiver>
    class operation {
    public:
        using operation_state_concept = coex::operation_state_tag;

        operation(T& object, Receiver receiver) : object_(&object), receiver_(std::move(receiver)) {}
        void start() & noexcept { Tag()(std::move(receiver_), *object_); }

    private:
        T* object_;
        Receiver receiver_;
    };

    template <coex::receiver Receiver>
    [[nodiscard]] operation<Receiver> connect(Receiver receiver) const {
        return {*object_, std::move(receiver)};
    }

private:
    T* object_;
};

[[nodiscard]] inline std::exception_ptr failure(const char* message) {
    return std::make_exception_ptr(std::runtime_error(message));
}

using only_moves = std::unique_ptr<int>;

}  // namespace coex_test
