#pragma once

#include <exec/vocab/work_item.hpp>

#include <atomic>
#include <memory>

namespace coex_test {

/// A work item that knows how often it was taken.
struct counted_item final : coex::work_item {
    counted_item() noexcept : work_item(&counted_item::count) {}
    static void count(coex::work_item* item) noexcept { static_cast<counted_item*>(item)->taken.fetch_add(1); }

    std::atomic<int> taken{0};
};

/// Runs an item, if there is one; says whether there was.
inline bool run(coex::work_item* item) noexcept {
    if (item == nullptr) return false;
    item->run(item);
    return true;
}

}  // namespace coex_test
