#pragma once

#include <exec/base/counted.hpp>
#include <exec/io/endpoint.hpp>
#include <exec/io/received_block.hpp>

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace coex::inline v0::detail {

class buffer_group;

/// What the kernel puts into a buffer before a datagram: what it knows of it, and the address of its sender.
inline constexpr std::size_t bytes_before_datagram = sizeof(io_uring_recvmsg_out) + endpoint::capacity();

/// The buffers that a group lends to the kernel at one ring, from which that takes one for each part that a multishot
/// receive delivers. A part is known by the number of its buffer.
///
/// A buffer belongs to the kernel, then to the receive that got it, then to the block that was handed out, which gives
/// it back. The memory lives until the ring and all of these have let go of it.
///
/// Thread-safe: `give_back`. The notes of a buffer belong to who has the buffer.
class ring_buffers final : public block_source {
public:
    /// Errors: std::bad_alloc.
    explicit ring_buffers(counted_ptr<buffer_group> group);
    ring_buffers(const ring_buffers&) = delete;
    ring_buffers& operator=(const ring_buffers&) = delete;
    ~ring_buffers() override;

    /// Lends all of them to the kernel, as group `id` of the ring. Returns 0 or a negated errno.
    [[nodiscard]] int register_at(io_uring& ring, std::uint16_t id) noexcept;

    /// The kernel has filled it.
    void note_taken() noexcept;
    void give_back(std::byte* memory, std::uint16_t number) noexcept override;

    [[nodiscard]] std::byte* memory_of(std::uint16_t number) const noexcept;
    [[nodiscard]] const buffer_group& group() const noexcept { return *group_; }

    /// What a receive notes of a part that it keeps in its queue.
    struct note {
        unsigned bytes;
        std::uint16_t next;
    };
    [[nodiscard]] note& note_of(std::uint16_t number) noexcept { return notes_[number]; }

private:
    void lend(std::uint16_t number, unsigned place) noexcept;

    const counted_ptr<buffer_group> group_;
    std::vector<note> notes_;
    void* mapped_;
    std::size_t mapped_bytes_;
    std::mutex mutex_;
    io_uring_buf_ring* lent_;     // OWNER: mutex_; at the beginning of the memory
    std::byte* first_ = nullptr;  // of the buffers
};

}  // namespace coex::inline v0::detail
