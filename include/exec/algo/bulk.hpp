#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/pack.hpp>
#include <exec/algo/parallel_bulk.hpp>
#include <exec/algo/policies.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// Calls a function of one index for each index of a chunk.
template <class F>
class each_index {
public:
    template <class G>
    constexpr explicit each_index(std::in_place_t, G&& function) : function_(std::forward<G>(function)) {}

    template <class Shape, class... Values>
        requires std::is_invocable_v<F&, Shape, Values&...>
    void operator()(Shape begin, Shape end,
                    Values&... values) noexcept(std::is_nothrow_invocable_v<F&, Shape, Values&...>) {
        for (; begin != end; ++begin) function_(Shape(begin), values...);
    }

private:
    [[no_unique_address]] F function_;
};

template <class F, class Shape, class... Values>
struct bulk_call {
    static constexpr bool is_callable = std::is_invocable_v<F&, Shape, Shape, Values&...>;
    static_assert(
        is_callable,
        "coex: the function given to bulk (bulk_unchunked) must be callable as f(index, values&...), that given "
        "to bulk_chunked as f(begin, end, values&...), with the values that the sender before it sends");
    static constexpr bool is_nothrow = std::is_nothrow_invocable_v<F&, Shape, Shape, Values&...>;
};

template <class F, class Shape, bool Keeps>
struct bulk_map : keep_signatures {
    template <class... Values>
    using sent = std::conditional_t<Keeps, set_value_t(std::decay_t<Values>...), set_value_t(Values...)>;
    template <class... Values>
    static constexpr bool is_nothrow =
        bulk_call<F, Shape, std::decay_t<Values>...>::is_nothrow &&
        (!Keeps || (std::is_nothrow_constructible_v<std::decay_t<Values>, Values> && ...));
    template <class... Values>
    using on_value = std::conditional_t<is_nothrow<Values...>, completion_signatures<sent<Values...>>,
                                        completion_signatures<sent<Values...>, set_error_t(std::exception_ptr)>>;
};

// --- on one thread
// --------------------------------------------------------------------------------------------------------

template <class Shape, class F, class Receiver>
class sequential_bulk_receiver {
public:
    using receiver_concept = receiver_tag;

    sequential_bulk_receiver(Shape shape, F&& function,
                             Receiver&& receiver) noexcept(std::is_nothrow_move_constructible_v<F>)
        : shape_(shape), function_(std::move(function)), receiver_(std::move(receiver)) {}

    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        if constexpr (std::is_nothrow_invocable_v<F&, Shape, Shape, Values&...>) {
            function_(Shape(0), Shape(shape_), values...);
        } else {
            COEX_TRY {
                function_(Shape(0), Shape(shape_), values...);
            }
            COEX_CATCH(...) {
                coex::set_error(std::move(receiver_), std::current_exception());
                return;
            }
        }
        coex::set_value(std::move(receiver_), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        coex::set_error(std::move(receiver_), std::forward<Error>(error));
    }
    void set_stopped() && noexcept { coex::set_stopped(std::move(receiver_)); }
    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(receiver_); }

private:
    Shape shape_;
    [[no_unique_address]] F function_;
    [[no_unique_address]] Receiver receiver_;
};

// --- the sender
// -----------------------------------------------------------------------------------------------------------

/// True when a bulk over `Child` runs on all threads of an execution context: it may, and it is known where the child
/// completes.
template <class Policy, class Child, class Env>
inline constexpr bool runs_in_parallel =
    is_parallel<Policy> && requires(const Child& child, const forwarded_t<Env>& env) {
        {
            get_completion_scheduler<set_value_t>(get_env(child), env).context()
        } -> std::convertible_to<execution_context&>;
    };

template <class Policy, class Child, class Shape, class F>
class bulk_sender {
    template <class Env>
    static constexpr bool is_parallel_in = runs_in_parallel<Policy, Child, Env>;

public:
    using sender_concept = sender_tag;

    template <class C, class G>
    constexpr bulk_sender(C&& child, Shape shape, G&& function, bool one_by_one)
        : child_(std::forward<C>(child)),
          shape_(shape),
          one_by_one_(one_by_one),
          function_(std::forward<G>(function)) {}

    template <class Self, class Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return mapped_t<decltype(coex::get_completion_signatures<child_of_t<Self, Child>, forwarded_t<Env>>()),
                        bulk_map<F, Shape, is_parallel_in<Env>>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return join(std::move(child_), shape_, one_by_one_, std::move(function_), std::move(receiver));
    }
    template <receiver Receiver>
        requires std::copy_constructible<F>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return join(child_, shape_, one_by_one_, F(function_), std::move(receiver));
    }

    [[nodiscard]] auto get_env() const noexcept { return forward_env_of(child_); }

private:
    template <class C, class Receiver>
    static auto join(C&& child, Shape shape, bool one_by_one, F&& function, Receiver&& receiver) {
        if constexpr (is_parallel_in<env_of_t<Receiver>>) {
            execution_context& context =
                get_completion_scheduler<set_value_t>(coex::get_env(child), forward_env_of(receiver)).context();
            return parallel_bulk_operation<C, Shape, F, Receiver>(context, std::forward<C>(child), shape,
                                                                  std::move(function), one_by_one, std::move(receiver));
        } else {
            return coex::connect(std::forward<C>(child), sequential_bulk_receiver<Shape, F, Receiver>(
                                                             shape, std::move(function), std::move(receiver)));
        }
    }

    [[no_unique_address]] Child child_;
    Shape shape_;
    bool one_by_one_;
    [[no_unique_address]] F function_;
};

template <class T>
concept policy = is_execution_policy_v<std::remove_cvref_t<T>>;

/// `ByIndex`: the function takes one index, not a chunk. `OneByOne`: each index may run on a thread of its own.
template <bool ByIndex, bool OneByOne>
struct bulk_base {
    template <sender Sender, policy Policy, std::integral Shape, movable_value F>
    [[nodiscard]] constexpr auto operator()(Sender&& sender, Policy&&, Shape shape, F&& function) const {
        using bare = std::remove_cvref_t<Policy>;
        using child = std::remove_cvref_t<Sender>;
        if constexpr (ByIndex) {
            using each = each_index<std::decay_t<F>>;
            return bulk_sender<bare, child, Shape, each>(std::forward<Sender>(sender), shape,
                                                         each(std::in_place, std::forward<F>(function)), OneByOne);
        } else {
            return bulk_sender<bare, child, Shape, std::decay_t<F>>(std::forward<Sender>(sender), shape,
                                                                    std::forward<F>(function), OneByOne);
        }
    }
    template <policy Policy, std::integral Shape, movable_value F>
    [[nodiscard]] constexpr auto operator()(Policy&& policy, Shape shape, F&& function) const {
        return bind_adaptor(*this, std::forward<Policy>(policy), shape, std::forward<F>(function));
    }
    /// For who leaves the policy out: says so.
    template <std::integral Shape, class F>
    constexpr auto operator()(Shape, F&&) const {
        static_assert(
            !std::integral<Shape>,
            "coex: bulk (bulk_chunked, bulk_unchunked): the policy is missing, which says whether several "
            "threads may call the function at once; write bulk(coex::par, n, f), or coex::seq for one thread");
    }
};

}  // namespace detail

/// Calls `f(i, values&...)` for each `i` in `[0, shape)`, then completes with the values.
///
/// With `par` or `par_unseq`, after a sender that completes on a pool (`schedule(pool) | bulk(par, n, f)`), the calls
/// are made in chunks by all threads of that pool; otherwise by one thread, in order.
///
/// Errors:      the first exception in time; calls that have not begun by then are left out.
/// Cancel:      a stop request leaves out no call. A function that is to end early looks at a token, such as one that
///              `read_env(get_stop_token)` sends.
/// Thread-safe: with `par`, `f` is called from several threads at once, with the same values.
/// Complexity:  one allocation from recycled memory when it runs in parallel.
inline constexpr struct bulk_t : detail::bulk_base<true, false> {
} bulk{};

/// The same for `f(begin, end, values&...)`: called for chunks that make up `[0, shape)`, of about equal size.
inline constexpr struct bulk_chunked_t : detail::bulk_base<false, false> {
} bulk_chunked{};

/// The same as `bulk` for calls that wait for each other: each may get a thread of its own, and none is made to follow
/// another on the same one as long as a thread is free.
inline constexpr struct bulk_unchunked_t : detail::bulk_base<true, true> {
} bulk_unchunked{};

}  // namespace coex::inline v0
