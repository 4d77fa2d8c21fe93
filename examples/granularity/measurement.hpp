#pragma once

#include "options.hpp"

#include <chrono>
#include <cstddef>

namespace granularity {

struct measurement {
    std::size_t tasks;
    std::chrono::nanoseconds elapsed;
    std::chrono::nanoseconds ideal;

    [[nodiscard]] double loss() const {
        return static_cast<double>(elapsed.count()) / static_cast<double>(ideal.count());
    }
};

/// Measures tasks of one length as often as asked for. Returns the repetition with the median loss.
///
/// Errors: what starting threads and allocating throw.
[[nodiscard]] measurement measure(const options& wanted, std::chrono::nanoseconds length);

}  // namespace granularity
