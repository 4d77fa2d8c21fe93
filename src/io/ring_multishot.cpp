#include "io/buffer_group.hpp"
#include "io/multishot.hpp"
#include "io/ring.hpp"
#include "io/ring_buffers.hpp"
#include "io/ring_data.hpp"
#include "io/ring_entry.hpp"

#include <exec/base/exceptions.hpp>

#include <algorithm>
#include <mutex>
#include <new>

namespace coex::inline v0::detail {
namespace {

// Of buffers that do not exist: the kernel answers that there are none.
constexpr std::uint16_t no_buffers = 0xffff;

__kernel_timespec no_time{0, 0};

}  // namespace

// Under lock_.
void ring::lend_buffers(multishot_operation& operation) noexcept {
    unsigned& number = io_operation_access::request(operation).mode;
    number = no_buffers;
    operation.set_buffers(nullptr);
    const auto known = std::find_if(lent_.begin(), lent_.end(), [&](const lent_buffers& each) {
        return &each.buffers->group() == operation.group().get();
    });
    if (known != lent_.end()) {
        number = known->number;
        operation.set_buffers(known->buffers);
        return;
    }
    withdraw_unused_buffers();
    COEX_TRY {
        auto made = make_counted<ring_buffers>(operation.group());
        lent_.reserve(lent_.size() + 1);
        const std::uint16_t free_number = free_buffer_number();
        if (made->register_at(ring_, free_number) != 0) return;
        lent_.push_back({made, free_number});
        number = free_number;
        operation.set_buffers(std::move(made));
    }
    COEX_CATCH(const std::bad_alloc&) {
        // Then it receives by plain calls.
    }
}

// Nobody waits for the end of a receive whose sequence goes, and then its socket may be closed. The kernel looks the
// descriptor up as it takes the entry: were that later, the number could be another socket's, whose data would be lost.
// Under lock_.
void ring::prepare_receiving(multishot_operation& operation, io_uring_sqe& entry) noexcept {
    lend_buffers(operation);
    io_request& request = io_operation_access::request(operation);
    const std::unique_lock<std::mutex> held = operation.hold_descriptor();
    if (!held.owns_lock()) request.descriptor = -1;
    fill_entry(entry, request);
    io_uring_sqe_set_data64(&entry, data_of(operation));
    if (!held.owns_lock()) return;
    submit_prepared();
    if (io_uring_sq_ready(&ring_) == 0) return;
    // Refused, and it still is ours: it ends at once, as one that found no buffers.
    io_uring_prep_timeout(&entry, &no_time, 0, 0);
    io_uring_sqe_set_data64(&entry, data_of(operation));
}

// Those that no receive and no block uses: nobody but the ring knows them. Their group gets new ones when it is used
// again, so a worker never keeps the memory of many groups.
void ring::withdraw_unused_buffers() noexcept {
    const auto unused =
        std::partition(lent_.begin(), lent_.end(), [](const lent_buffers& each) { return each.buffers.is_shared(); });
    for (auto each = unused; each != lent_.end(); ++each) io_uring_unregister_buf_ring(&ring_, each->number);
    lent_.erase(unused, lent_.end());
}

std::uint16_t ring::free_buffer_number() const noexcept {
    std::uint16_t number = 0;
    while (std::any_of(lent_.begin(), lent_.end(), [&](const lent_buffers& each) { return each.number == number; })) {
        ++number;
    }
    return number;
}

// Returns true when more will come. Under lock_: two threads that hand over must not change the order of parts.
bool ring::deliver_part(multishot_operation& operation, const io_uring_cqe& completion) noexcept {
    if (!takes_buffers(io_operation_access::request(operation).opcode)) {
        // The last one too may be a part, such as a connection that must not be lost.
        if (completion.res >= 0) operation.part_came(completion.res, 0);
    } else if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
        const auto number = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
        if (completion.res > 0) {
            operation.part_came(completion.res, number);
        } else {
            operation.buffers()->note_taken();
            operation.buffers()->give_back(nullptr, number);
        }
    }
    return (completion.flags & IORING_CQE_F_MORE) != 0;
}

}  // namespace coex::inline v0::detail
