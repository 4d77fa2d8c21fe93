#pragma once

#include "pool/parker.hpp"

#include <atomic>
#include <cstdint>

namespace coex::inline v0::detail {

/// Sleeps on a futex.
///
/// states: empty -> parked (park) -> empty (woken); empty or parked -> notified (unpark) -> empty (park).
class futex_parker final : public parker {
public:
    void park(timer_clock::time_point deadline) noexcept override;
    void unpark() noexcept override;
    bool poll(submission /*when*/) noexcept override { return false; }

private:
    std::atomic<std::uint32_t> state_{0};
};

}  // namespace coex::inline v0::detail
