#include "pool/fifo_lane.hpp"
#include "pool/pool_core.hpp"
#include "pool/worker.hpp"

#include <exec/pool/scope_fifo.hpp>

namespace coex::inline v0::detail {

fifo_lanes::fifo_lanes(pool_core& pool) : pool_(&pool), count_(worker_count(pool)), lanes_(count_) {}

fifo_lanes::~fifo_lanes() = default;

void fifo_lanes::enqueue(work_item* task) {
    const worker* const here = pool_->current_worker();
    if (here != nullptr && here->index() < count_) {
        pool_->submit_task(lanes_[here->index()], task);
    } else {
        pool_->place().submit(task);  // in order
    }
}

}  // namespace coex::inline v0::detail
