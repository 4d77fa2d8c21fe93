#pragma once

#include <exec/vocab/execution_context.hpp>

#include <cstddef>

namespace coex::inline v0::detail {

/// Work that consists of numbered chunks, which may run at once.
struct chunked_work {
    using run_function = void(chunked_work&, std::size_t chunk) noexcept;
    using finished_function = void(chunked_work&) noexcept;

    chunked_work(run_function* run_chunk, finished_function* when_finished) noexcept
        : run(run_chunk), finished(when_finished) {}
    chunked_work(const chunked_work&) = delete;
    chunked_work& operator=(const chunked_work&) = delete;

    run_function* run;
    finished_function* finished;  // LIFETIME: *this may be gone when it returns

protected:
    ~chunked_work() = default;
};

/// Runs all chunks, each once, on the calling thread and on others of `context`, then calls `work.finished` on the
/// thread that ran the last one. The calling thread runs chunks at once; as many work items as there are other threads
/// let those join in, and are never waited for.
///
/// Complexity: one allocation from recycled memory, for the items; without memory, everything runs here.
void run_chunks(execution_context& context, std::size_t chunks, chunked_work& work) noexcept;

/// How many chunks are worth making of `size` items: enough that threads which finish early find more to do.
[[nodiscard]] std::size_t chunk_count(const execution_context& context, std::size_t size) noexcept;

}  // namespace coex::inline v0::detail
