#pragma once

#include <exec/base/counted.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace coex::inline v0 {

namespace detail {

/// Where the memory of blocks comes from.
class block_source : public counted {
public:
    virtual ~block_source() = default;
    virtual void give_back(std::byte* memory, std::uint16_t number) noexcept = 0;
};

}  // namespace detail

/// Bytes that were received, in a buffer of a `receive_buffers`, which gets it back when the block goes.
///
/// Thread-safe: no; but blocks may go on any thread, also when their buffers' object and their pool are gone.
class received_block {
public:
    received_block() noexcept = default;
    received_block(detail::counted_ptr<detail::block_source> source, std::byte* memory, std::uint16_t number,
                   std::span<const std::byte> bytes) noexcept
        : source_(std::move(source)), memory_(memory), bytes_(bytes), number_(number) {}
    received_block(received_block&& other) noexcept
        : source_(std::move(other.source_)),
          memory_(other.memory_),
          bytes_(std::exchange(other.bytes_, {})),
          number_(other.number_) {}
    received_block& operator=(received_block&& other) noexcept {
        received_block taken(std::move(other));
        source_.swap(taken.source_);
        std::swap(memory_, taken.memory_);
        std::swap(bytes_, taken.bytes_);
        std::swap(number_, taken.number_);
        return *this;
    }
    ~received_block() {
        if (source_ != nullptr) source_->give_back(memory_, number_);
    }

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

private:
    detail::counted_ptr<detail::block_source> source_;
    std::byte* memory_ = nullptr;
    std::span<const std::byte> bytes_;
    std::uint16_t number_ = 0;
};

}  // namespace coex::inline v0
