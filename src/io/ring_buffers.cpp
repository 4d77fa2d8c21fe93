#include "io/ring_buffers.hpp"

#include "io/buffer_group.hpp"

#include <exec/base/exceptions.hpp>

#include <sys/mman.h>

#include <new>
#include <utility>

namespace coex::inline v0::detail {

ring_buffers::ring_buffers(counted_ptr<buffer_group> group) : group_(std::move(group)), notes_(group_->count()) {
    const std::size_t page = 4096;
    const std::size_t ring_bytes = (group_->count() * sizeof(io_uring_buf) + page - 1) / page * page;
    mapped_bytes_ = ring_bytes + group_->count() * group_->stride();
    mapped_ = ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped_ == MAP_FAILED) throw_exception(std::bad_alloc());
    lent_ = static_cast<io_uring_buf_ring*>(mapped_);
    first_ = static_cast<std::byte*>(mapped_) + ring_bytes;
    io_uring_buf_ring_init(lent_);
    const unsigned count = group_->count();
    for (unsigned i = 0; i < count; ++i) lend(static_cast<std::uint16_t>(i), i);
    io_uring_buf_ring_advance(lent_, static_cast<int>(count));
}

ring_buffers::~ring_buffers() {
    ::munmap(mapped_, mapped_bytes_);
}

int ring_buffers::register_at(io_uring& ring, std::uint16_t id) noexcept {
    io_uring_buf_reg wanted{};
    wanted.ring_addr = reinterpret_cast<std::uintptr_t>(lent_);
    wanted.ring_entries = group_->count();
    wanted.bgid = id;
    return io_uring_register_buf_ring(&ring, &wanted, 0);
}

// Under the lock of give_back(): the buffer came from there by way of the kernel, which is no edge of the memory model,
// and its note may have been written by another receive before.
void ring_buffers::note_taken() noexcept {
    const std::lock_guard lock(mutex_);
    group_->count_one_more();
}

void ring_buffers::give_back(std::byte*, std::uint16_t number) noexcept {
    {
        const std::lock_guard lock(mutex_);
        lend(number, 0);
        io_uring_buf_ring_advance(lent_, 1);
    }
    group_->count_one_less();
}

std::byte* ring_buffers::memory_of(std::uint16_t number) const noexcept {
    return first_ + std::size_t{number} * group_->stride();
}

// `place`: behind the last one that was announced.
void ring_buffers::lend(std::uint16_t number, unsigned place) noexcept {
    io_uring_buf_ring_add(lent_, memory_of(number), static_cast<unsigned>(group_->stride()), number,
                          io_uring_buf_ring_mask(group_->count()), static_cast<int>(place));
}

}  // namespace coex::inline v0::detail
