#pragma once

#include "pool/trace_buffer.hpp"

#include <exec/pool/pool_observer.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <ostream>
#include <vector>

namespace coex::inline v0::detail {

/// What a recorder has kept.
struct trace_content {
    struct thread {
        std::uint64_t pool;
        std::size_t worker;
        std::uint64_t dropped;
        std::vector<trace_event> events;  // in the order in which they were recorded
    };
    std::vector<observed_pool> pools;
    std::vector<thread> threads;
    std::uint64_t end = 0;  // when it was collected, in ns since the recorder was made
    std::uint64_t dropped = 0;
};

/// Writes it in the trace event format.
void write_trace(std::ostream& out, const trace_content& content);

}  // namespace coex::inline v0::detail
