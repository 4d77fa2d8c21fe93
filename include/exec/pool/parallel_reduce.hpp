#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/base/invoke.hpp>
#include <exec/base/std_ranges.hpp>
#include <exec/pool/divided_loop.hpp>
#include <exec/pool/parallel_for.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

/// What parallel_reduce does with a part of a range.
template <class Range, class Value, class Combine, class Transform>
class reduced_part {
public:
    explicit reduced_part(Range& range, const Value& identity, Combine& combine, Transform& transform) noexcept
        : range_(&range), identity_(&identity), combine_(&combine), transform_(&transform) {}

    Value begin() const { return *identity_; }
    void run(Value& result, std::size_t first, std::size_t last) {
        guarded([&] {
            Value sum = std::move(result);  // of its own, so that it may stay in registers
            for (auto element = element_iterator(*range_, first); first != last; ++first, ++element) {
                sum =
                    detail::invoke_function(*combine_, std::move(sum), detail::invoke_function(*transform_, *element));
            }
            result = std::move(sum);
        });
    }
    void join(Value& left, Value&& right) {
        guarded([&] { left = detail::invoke_function(*combine_, std::move(left), std::move(right)); });
    }
    // ORDER: relaxed; a hint that the rest is in vain.
    [[nodiscard]] bool cancelled() const noexcept { return failed_.load(std::memory_order_relaxed); }

private:
    template <class Step>
    void guarded(Step step) {
        COEX_TRY {
            step();
        }
        COEX_CATCH(...) {
            // ORDER: relaxed; as above.
            failed_.store(true, std::memory_order_relaxed);
            COEX_RETHROW;
        }
    }

    Range* range_;
    const Value* identity_;
    Combine* combine_;
    Transform* transform_;
    std::atomic<bool> failed_{false};
};

}  // namespace detail

/// Combines `transform(element)` of all elements of a random-access range to one value, on the calling thread and on
/// idle workers of its pool: `combine(combine(identity, transform(e0)), transform(e1))` and so on, where any number of
/// such sums over neighbouring parts of the range, each begun with `identity`, are combined in the order of the range.
///
/// So `combine` must be associative, but need not be commutative, and `identity` must be neutral. How the range is
/// divided differs from call to call: a sum of floating-point numbers may differ in its last digits.
///
/// Completes:   with the value; with `identity` for an empty range.
/// Errors:      as `parallel_for`. Also those of copying and moving values.
/// Thread-safe: as `parallel_for`; both functions are called by several threads at once.
/// Lifetime:    the range and the functions are used only until this returns.
///
/// As std::transform_reduce, with a part for each thread.
template <class Range, std::copyable Value, class Combine, class Transform = detail::same_value>
    requires(
        detail::divisible_range<Range> && std::invocable<Transform&, std::ranges::range_reference_t<Range>> &&
        std::assignable_from<
            Value&, std::invoke_result_t<Combine&, Value,
                                         std::invoke_result_t<Transform&, std::ranges::range_reference_t<Range>>>> &&
        std::assignable_from<Value&, std::invoke_result_t<Combine&, Value, Value>>)
[[nodiscard]] Value parallel_reduce(Range&& range, Value identity, Combine&& combine, Transform&& transform = {}) {
    detail::reduced_part part(range, std::as_const(identity), combine, transform);
    return detail::run_loop_over(part, static_cast<std::size_t>(std::ranges::size(range)));
}

}  // namespace coex::inline v0
