#pragma once

#include <exec/io/received_block.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace coex::inline v0::detail {

/// What `receive_buffers` stands for: the size of its buffers, how many are in use, and those of no ring, into which
/// plain calls receive.
///
/// Thread-safe: yes.
class buffer_group final : public block_source {
public:
    buffer_group(unsigned count, std::size_t stride) noexcept : count_(count), stride_(stride) {}
    buffer_group(const buffer_group&) = delete;
    buffer_group& operator=(const buffer_group&) = delete;
    ~buffer_group() override;

    /// A power of two.
    [[nodiscard]] unsigned count() const noexcept { return count_; }
    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }

    /// A buffer of no ring. Errors: std::bad_alloc.
    [[nodiscard]] std::byte* take();
    void give_back(std::byte* memory, std::uint16_t number) noexcept override;

    // ORDER: relaxed, all three; a count that is only looked at.
    void count_one_more() noexcept { in_use_.fetch_add(1, std::memory_order_relaxed); }
    // ORDER: relaxed; as above.
    void count_one_less() noexcept { in_use_.fetch_sub(1, std::memory_order_relaxed); }
    // ORDER: relaxed; as above.
    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }

private:
    const unsigned count_;
    const std::size_t stride_;
    std::atomic<std::size_t> in_use_{0};
    std::mutex mutex_;
    std::vector<std::byte*> kept_;  // OWNER: mutex_; given back, to be taken again
};

}  // namespace coex::inline v0::detail
