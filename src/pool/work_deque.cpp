#include "pool/work_deque.hpp"

namespace coex::inline v0::detail {
namespace {

constexpr std::int64_t initial_capacity = 256;

}  // namespace

work_deque::work_deque() {
    rings_.push_back(std::make_unique<ring>(initial_capacity));
    ring_.store(rings_.back().get());
}

void work_deque::make_room() {
    // ORDER: relaxed; only this thread writes bottom_ and ring_.
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
    const ring* const slots = ring_.load(std::memory_order_relaxed);
    const std::int64_t top = top_.load();
    if (bottom - top > slots->mask) static_cast<void>(grow(top, bottom));
}

void work_deque::push(work_item* item) {
    // ORDER: relaxed; only this thread writes bottom_ and ring_.
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
    ring* slots = ring_.load(std::memory_order_relaxed);
    const std::int64_t top = top_.load();
    if (bottom - top > slots->mask) slots = grow(top, bottom);
    slots->put(bottom, item);
    // seq_cst: publishes the slot [D2], and must come before the worker's look at the sleepers (PushItem in idle.md).
    bottom_.store(bottom + 1);
}

work_item* work_deque::pop() noexcept {
    // ORDER: relaxed; only this thread writes bottom_ and ring_.
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
    ring* const slots = ring_.load(std::memory_order_relaxed);
    // ORDER: relaxed; a stale top only makes the deque look fuller than it is, and the full protocol follows.
    if (top_.load(std::memory_order_relaxed) > bottom) return nullptr;
    // First the claim, then the look at the thieves: [D1].
    bottom_.store(bottom);
    std::int64_t top = top_.load();
    if (top < bottom) return slots->get(bottom);
    work_item* item = nullptr;
    if (top == bottom && top_.compare_exchange_strong(top, top + 1)) item = slots->get(bottom);
    bottom_.store(bottom + 1);
    return item;
}

work_item* work_deque::steal(bool& contended) noexcept {
    // First top, then bottom: [D1].
    std::int64_t top = top_.load();
    const std::int64_t bottom = bottom_.load();
    if (top >= bottom) return nullptr;
    work_item* const item = ring_.load()->get(top);
    if (top_.compare_exchange_strong(top, top + 1)) return item;
    contended = true;
    return nullptr;
}

work_deque::ring* work_deque::grow(std::int64_t top, std::int64_t bottom) {
    const ring& old = *rings_.back();
    auto larger = std::make_unique<ring>((old.mask + 1) * 2);
    for (std::int64_t index = top; index < bottom; ++index) larger->put(index, old.get(index));
    rings_.push_back(std::move(larger));
    ring_.store(rings_.back().get());
    return rings_.back().get();
}

}  // namespace coex::inline v0::detail
