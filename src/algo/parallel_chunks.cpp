#include <exec/algo/parallel_chunks.hpp>

#include <exec/base/exceptions.hpp>
#include <exec/base/recycling.hpp>
#include <exec/vocab/work_item.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

namespace coex::inline v0::detail {
namespace {

constexpr std::size_t chunks_per_thread = 16;

/// What the threads share that run the chunks of one piece of work.
///
/// A helper that comes late, when all chunks are taken, must not keep the work from ending: so the chunks are counted,
/// not the helpers, and this outlives the work until the last helper has let go of it.
///
/// Two counters end things: `unfinished_` [B1] the work, by the thread that ran its last chunk; `shares_` [B2] this
/// object, by whoever leaves it last.
class chunk_run {
public:
    /// Null without memory.
    static chunk_run* make(chunked_work& work, std::size_t chunks, std::size_t helpers) noexcept {
        const std::size_t bytes = sizeof(chunk_run) + helpers * sizeof(helper);
        COEX_TRY {
            return ::new (recycling_allocate(bytes)) chunk_run(work, chunks, helpers);
        }
        COEX_CATCH(...) {
            return nullptr;  // no memory for helpers: the caller does it all
        }
    }

    void invite(execution_context& context) noexcept {
        // LIFETIME: the caller holds a share, so the helpers stay until all are submitted.
        for (std::size_t i = 0; i < helpers_; ++i) {
            context.submit(::new (static_cast<void*>(room() + i)) helper(*this));
        }
    }

    /// Runs chunks until none is left, and gives up one share. LIFETIME: *this, and the work, may be gone then.
    void join_in() noexcept {
        std::size_t ran = 0;
        // ORDER: relaxed; only the number counts. What a chunk reads was published by the submission of the helper.
        for (std::size_t chunk; (chunk = next_.fetch_add(1, std::memory_order_relaxed)) < chunks_; ++ran) {
            work_.run(work_, chunk);
        }
        // ORDER: acq_rel; pairs with itself [B1]: who finishes the work sees what all chunks wrote.
        const bool last = ran != 0 && unfinished_.fetch_sub(ran, std::memory_order_acq_rel) == ran;
        chunked_work& work = work_;
        release();
        if (last) work.finished(work);
    }

private:
    struct helper : work_item {
        explicit helper(chunk_run& run_of) noexcept : work_item(&helper::execute), whole(&run_of) {}
        static void execute(work_item* item) noexcept { static_cast<helper*>(item)->whole->join_in(); }

        chunk_run* whole;
    };

    chunk_run(chunked_work& work, std::size_t chunks, std::size_t helpers) noexcept
        : work_(work), chunks_(chunks), helpers_(helpers), unfinished_(chunks), shares_(helpers + 1) {}

    [[nodiscard]] helper* room() noexcept { return reinterpret_cast<helper*>(this + 1); }

    void release() noexcept {
        // ORDER: acq_rel; pairs with itself [B2]: the last one frees the memory after all others are out of it.
        if (shares_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        const std::size_t bytes = sizeof(chunk_run) + helpers_ * sizeof(helper);
        std::destroy_at(this);
        recycling_deallocate(this, bytes);
    }

    chunked_work& work_;
    const std::size_t chunks_;
    const std::size_t helpers_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> unfinished_;  // chunks that have not run to their end
    std::atomic<std::size_t> shares_;      // the caller and the helpers
};

}  // namespace

void run_chunks(execution_context& context, std::size_t chunks, chunked_work& work) noexcept {
    const std::size_t helpers = chunks == 0 ? 0 : std::min<std::size_t>(chunks, context.concurrency()) - 1;
    chunk_run* const run = helpers == 0 ? nullptr : chunk_run::make(work, chunks, helpers);
    if (run != nullptr) {
        run->invite(context);
        run->join_in();
        return;
    }
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) work.run(work, chunk);
    work.finished(work);
}

std::size_t chunk_count(const execution_context& context, std::size_t size) noexcept {
    const std::size_t threads = context.concurrency();
    return threads <= 1 ? std::min<std::size_t>(size, 1) : std::min(size, threads * chunks_per_thread);
}

}  // namespace coex::inline v0::detail
