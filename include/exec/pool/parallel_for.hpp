#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/base/invoke.hpp>
#include <exec/base/std_ranges.hpp>
#include <exec/coro/fork_slot.hpp>
#include <exec/pool/divided_loop.hpp>
#include <exec/pool/fork_join.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <type_traits>

namespace coex::inline v0 {
namespace detail {

/// What a loop without a result does: `run_part(first, last)` for a part of it.
template <class RunPart>
class plain_loop_part {
public:
    explicit plain_loop_part(RunPart& run_part) noexcept : run_part_(&run_part) {}

    static no_result begin() noexcept { return {}; }
    void run(no_result&, std::size_t first, std::size_t last) {
        COEX_TRY {
            (*run_part_)(first, last);
        }
        COEX_CATCH(...) {
            // ORDER: relaxed; a hint that the rest is in vain.
            failed_.store(true, std::memory_order_relaxed);
            COEX_RETHROW;
        }
    }
    static void join(no_result&, no_result) noexcept {}
    // ORDER: relaxed; as above.
    [[nodiscard]] bool cancelled() const noexcept { return failed_.load(std::memory_order_relaxed); }

private:
    RunPart* run_part_;
    std::atomic<bool> failed_{false};
};

template <class RunPart>
void run_plain_loop(std::size_t count, RunPart run_part) {
    plain_loop_part<RunPart> part(run_part);
    run_loop_over(part, count);
}

/// A function that does the work for an `Argument` itself. For functions that return coroutines see
/// coro/parallel_for.hpp.
template <class Function, class Argument>
concept plain_function_for = std::invocable<Function&, Argument> && !returns_task_for<Function&, Argument>;

template <class Range>
concept divisible_range = std::ranges::random_access_range<Range> && std::ranges::sized_range<Range>;

template <class Range>
auto element_iterator(Range& range, std::size_t index) {
    return std::ranges::begin(range) + static_cast<std::ranges::range_difference_t<Range>>(index);
}

}  // namespace detail

/// Calls `function(element)` for each element of a random-access range, on the calling thread and on idle workers of
/// its pool, and returns when all calls have returned. How far the range is divided follows from who is idle: elements
/// may be many and cheap, or few and dear, and need no grain size.
///
/// Errors:      of the exceptions that leave the function, the one of the leftmost part of the range that had one is
///              rethrown; elements that were not begun by then may be left out.
/// Thread-safe: yes. The function is called by several threads at once, each element by one of them, in no certain
///              order. On a worker, other work of its pool may run on the calling thread while it waits for the others.
/// Lifetime:    the range and the function are used only until this returns.
/// Complexity:  allocates nothing; a loop that nobody shares costs some 100 ns more than a plain one.
///
/// Outside of every pool the work is done by `default_pool()`; `pool.install([&] { coex::parallel_for(...); })` chooses
/// another one.
template <class Range, class Function>
    requires(detail::divisible_range<Range> &&
             detail::plain_function_for<Function, std::ranges::range_reference_t<Range>>)
void parallel_for(Range&& range, Function&& function) {
    detail::run_plain_loop(
        static_cast<std::size_t>(std::ranges::size(range)), [&](std::size_t first, std::size_t last) {
            for (auto element = detail::element_iterator(range, first); first != last; ++first, ++element) {
                detail::invoke_function(function, *element);
            }
        });
}

/// The same for each index of [first, last); none when `last` is not above `first`.
template <std::integral Index, class Function>
    requires(detail::plain_function_for<Function, Index>)
void parallel_for(Index first, std::type_identity_t<Index> last, Function&& function) {
    if (!(first < last)) return;
    const auto count = static_cast<std::size_t>(last) - static_cast<std::size_t>(first);
    detail::run_plain_loop(count, [&](std::size_t begin, std::size_t end) {
        for (; begin != end; ++begin) {
            detail::invoke_function(function, static_cast<Index>(static_cast<std::size_t>(first) + begin));
        }
    });
}

}  // namespace coex::inline v0
