#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace coex::inline v0::detail {

enum class trace_kind : unsigned char {
    worker_stopped,
    parked,
    woken,
    posted,    // number: the task; detail: pool and priority
    notified,  // detail: pool and worker
    stolen,    // number: the task; detail: the victim
    started,   // number: the task
    ended,     // number: the task
    span,      // number: the name's address; detail: how long, in ns; its time is its begin
    draining   // detail: pool
};

struct trace_event {
    std::uint64_t time;  // ns since the recorder was made
    trace_kind kind;
    std::uint64_t number;
    std::uint64_t detail;
};

/// What events say of a pool and something in it, in one word.
[[nodiscard]] constexpr std::uint64_t trace_detail(std::uint64_t pool, std::size_t what) noexcept {
    return pool << 32 | static_cast<std::uint32_t>(what);
}

/// The newest events of one thread. That thread adds; anybody may copy meanwhile.
///
/// **No torn event is given out** [T1]. The thread first stores in `begun_` that it is about to overwrite a place,
/// then, with release, the words. Who copies reads the words with acquire, then `begun_`: if a word came from a later
/// event, so did the value of `begun_`, and the place is known to have been overwritten.
class trace_buffer {
public:
    trace_buffer(std::uint64_t pool, std::size_t worker, std::size_t capacity)
        : pool_(pool), worker_(worker), capacity_(capacity), slots_(new slot[capacity]) {}

    /// The number of the pool whose worker the thread is, or 0; and its index in it, or among the others.
    [[nodiscard]] std::uint64_t pool() const noexcept { return pool_; }
    [[nodiscard]] std::size_t worker() const noexcept { return worker_; }

    /// OWNER: the thread.
    void add(trace_event event) noexcept {
        // ORDER: relaxed; only this thread writes finished_, and the words below publish begun_ [T1].
        const std::uint64_t index = finished_.load(std::memory_order_relaxed);
        begun_.store(index + 1, std::memory_order_relaxed);
        const std::uint64_t words[] = {event.time << kind_bits | static_cast<std::uint64_t>(event.kind), event.number,
                                       event.detail};
        slot& place = slots_[index % capacity_];
        // ORDER: release; pairs with the acquire loads in copy() [T1].
        for (std::size_t i = 0; i < 3; ++i) std::atomic_ref(place[i]).store(words[i], std::memory_order_release);
        // ORDER: release; pairs with the acquire load in copy(): the words of all events before.
        finished_.store(index + 1, std::memory_order_release);
    }

    /// Any thread.
    [[nodiscard]] std::vector<trace_event> copy() const {
        // ORDER: acquire; pairs with the release in add().
        const std::uint64_t end = finished_.load(std::memory_order_acquire);
        const std::uint64_t begin = end > capacity_ ? end - capacity_ : 0;
        std::vector<trace_event> events;
        events.reserve(static_cast<std::size_t>(end - begin));
        for (std::uint64_t index = begin; index < end; ++index) {
            slot& place = slots_[index % capacity_];
            std::array<std::uint64_t, 3> words{};
            // ORDER: acquire; pairs with the release in add() [T1].
            for (std::size_t i = 0; i < 3; ++i) words[i] = std::atomic_ref(place[i]).load(std::memory_order_acquire);
            events.push_back({words[0] >> kind_bits, static_cast<trace_kind>(words[0] & ((1U << kind_bits) - 1)),
                              words[1], words[2]});
        }
        const std::uint64_t begun = begun_.load();
        const std::uint64_t kept_from = begun > capacity_ ? begun - capacity_ : 0;
        if (kept_from > begin) {
            const auto overwritten = static_cast<std::ptrdiff_t>(std::min(kept_from - begin, end - begin));
            events.erase(events.begin(), events.begin() + overwritten);
        }
        return events;
    }

    [[nodiscard]] std::uint64_t dropped() const noexcept {
        const std::uint64_t end = finished_.load();
        return end > capacity_ ? end - capacity_ : 0;
    }

private:
    static constexpr unsigned kind_bits = 8;
    using slot = std::array<std::uint64_t, 3>;

    const std::uint64_t pool_;
    const std::size_t worker_;
    const std::size_t capacity_;
    const std::unique_ptr<slot[]> slots_;  // not initialised: untouched pages cost nothing
    std::atomic<std::uint64_t> begun_{0};
    std::atomic<std::uint64_t> finished_{0};
};

}  // namespace coex::inline v0::detail
