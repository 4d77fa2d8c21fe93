#pragma once

#include <cstddef>

namespace coex::inline v0::detail {

/// What there is to attach: the input and output that is bound to a pool, and the blocking calls of its coroutines.
enum class extension_kind : unsigned char { io, calls };
inline constexpr std::size_t extension_kinds = 2;

/// What a higher layer attaches to a pool.
class pool_extension {
public:
    pool_extension() = default;
    pool_extension(const pool_extension&) = delete;
    pool_extension& operator=(const pool_extension&) = delete;
    virtual ~pool_extension() = default;

    /// The pool shuts down: ends everything in flight as stopped, and refuses what comes later. Called once, or twice
    /// when it is made at that moment.
    virtual void stop() noexcept = 0;

    /// True when nothing is in flight, and every submission caused by what was is complete.
    [[nodiscard]] virtual bool quiet() noexcept = 0;
};

}  // namespace coex::inline v0::detail
