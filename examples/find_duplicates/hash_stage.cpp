#include "hash_stage.hpp"

#include "device_queue.hpp"
#include "lane_count.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>

namespace find_duplicates {
namespace {

coex::task<> run_lane(search_context& context, device_queue& queue, stage which) {
    hash_lane lane(context, queue, which);
    co_await lane.run();
}

/// One queue for each pool, so that two partitions of one disk share theirs.
class queue_set {
public:
    explicit queue_set(search_context& context) : context_(context), of_device_(context.files.device_count()) {}

    void add(candidate& file) {
        const std::uint16_t device = context_.files.files()[file.file].device;
        if (of_device_[device] == nullptr) of_device_[device] = &queue_of(context_.files.device(device));
        of_device_[device]->add(file);
    }

    [[nodiscard]] std::deque<device_queue>& queues() noexcept { return queues_; }

private:
    device_queue& queue_of(dev_t device) {
        coex::static_thread_pool& pool = context_.pools.for_dev(device);
        for (device_queue& queue : queues_) {
            if (&queue.pool() == &pool) return queue;
        }
        return queues_.emplace_back(pool, lane_count(context_, device));
    }

    search_context& context_;
    std::deque<device_queue> queues_;
    std::vector<device_queue*> of_device_;  // by the table's index
};

}  // namespace

void device_queue::sort_by_place() {
    std::sort(files_.begin(), files_.end(), [](const candidate* a, const candidate* b) { return a->place < b->place; });
}

coex::task<> hash_stage(search_context& context, std::vector<candidate>& candidates, stage which) {
    queue_set set(context);
    for (candidate& each : candidates) set.add(each);
    std::vector<coex::task<>> lanes;
    const std::size_t allowed =
        std::max<std::size_t>(1, context.open_files / std::max<std::size_t>(1, set.queues().size()));
    for (device_queue& queue : set.queues()) {
        queue.sort_by_place();
        const std::size_t count = std::min({queue.lanes(), queue.size(), allowed});
        for (std::size_t i = 0; i < count; ++i) lanes.push_back(run_lane(context, queue, which));
    }
    co_await coex::when_all(std::move(lanes));
}

}  // namespace find_duplicates
