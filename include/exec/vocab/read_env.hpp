#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

namespace detail {

template <class Query, class Receiver>
class read_env_operation {
public:
    using operation_state_concept = operation_state_tag;

    read_env_operation(Query query, Receiver&& receiver) noexcept
        : query_(std::move(query)), receiver_(std::move(receiver)) {}
    read_env_operation(const read_env_operation&) = delete;
    read_env_operation& operator=(const read_env_operation&) = delete;

    void start() & noexcept {
        if constexpr (noexcept(query_(get_env(receiver_)))) {
            set_value(std::move(receiver_), query_(get_env(receiver_)));
        } else {
            COEX_TRY {
                set_value(std::move(receiver_), query_(get_env(receiver_)));
            }
            COEX_CATCH(...) {
                set_error(std::move(receiver_), std::current_exception());
            }
        }
    }

private:
    [[no_unique_address]] Query query_;
    Receiver receiver_;
};

}  // namespace detail

/// What `read_env` returns.
template <class Query>
class read_env_sender {
public:
    using sender_concept = sender_tag;
    static constexpr bool completes_inline = true;

    explicit read_env_sender(Query query) noexcept : query_(std::move(query)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        static_assert(
            std::is_invocable_v<const Query&, Env>,
            "coex: read_env: the environment in which this is awaited or connected has no answer to the query; "
            "provide one with write_env(sender, prop(query, value))");
        if constexpr (std::is_nothrow_invocable_v<const Query&, Env>) {
            return completion_signatures<set_value_t(std::invoke_result_t<const Query&, Env>)>{};
        } else if constexpr (std::is_invocable_v<const Query&, Env>) {
            return completion_signatures<set_value_t(std::invoke_result_t<const Query&, Env>),
                                         set_error_t(std::exception_ptr)>{};
        }
    }

    template <receiver Receiver>
    [[nodiscard]] detail::read_env_operation<Query, Receiver> connect(Receiver receiver) const noexcept {
        return {query_, std::move(receiver)};
    }

    [[nodiscard]] static constexpr detail::inline_attributes get_env() noexcept { return {}; }

private:
    [[no_unique_address]] Query query_;
};

/// Completes with `query(environment)` of whoever awaits it: `co_await read_env(get_stop_token)` gives the stop token
/// of the task itself.
///
/// Completes: at once.
/// Errors:    what the query throws.
template <class Query>
[[nodiscard]] read_env_sender<Query> read_env(Query query) noexcept {
    return read_env_sender<Query>(std::move(query));
}

}  // namespace coex::inline v0
