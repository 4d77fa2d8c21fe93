#pragma once

#include "io/buffer_group.hpp"
#include "io/ring_buffers.hpp"

#include <exec/base/counted.hpp>
#include <exec/io/operation.hpp>

#include <cstdint>
#include <mutex>
#include <utility>

namespace coex::inline v0::detail {

/// An operation that delivers many parts. It belongs to no coroutine: it tells its maker.
class multishot_operation : public io_operation {
public:
    /// `group`: of the buffers for receives; null for what needs none.
    multishot_operation(static_thread_pool& pool, counted_ptr<buffer_group> group) noexcept
        : io_operation(pool), group_(std::move(group)) {}

    /// A part came: so many bytes in the buffer of that number; of others, what the kernel answered. Called under the
    /// lock of the ring, in the order in which parts came, and never after `ended`.
    virtual void part_came(int part, std::uint16_t number) noexcept = 0;
    /// A lock under which the operation's descriptor stays that of its maker; none when the maker has gone. Called
    /// under the lock of the ring.
    [[nodiscard]] virtual std::unique_lock<std::mutex> hold_descriptor() noexcept = 0;
    /// No more parts will come; a result that is not negative was a part. LIFETIME: the operation may be gone when
    /// this returns.
    virtual void ended(int result) noexcept = 0;

    [[nodiscard]] const counted_ptr<buffer_group>& group() const noexcept { return group_; }
    /// The buffers of the ring at which it was begun; null when that could not lend any.
    [[nodiscard]] const counted_ptr<ring_buffers>& buffers() const noexcept { return buffers_; }
    void set_buffers(counted_ptr<ring_buffers> lent) noexcept { buffers_ = std::move(lent); }

protected:
    ~multishot_operation() = default;

private:
    const counted_ptr<buffer_group> group_;
    counted_ptr<ring_buffers> buffers_;  // OWNER: the ring's lock; constant once a part came
};

}  // namespace coex::inline v0::detail
