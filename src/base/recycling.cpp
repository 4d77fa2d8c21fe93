#include <exec/base/recycling.hpp>

#include <exec/base/config.hpp>

#include <atomic>
#include <mutex>
#include <new>

namespace coex::inline v0::detail {
namespace {

// The address sanitizer finds a use after free only when the block really goes back to the heap.
constexpr bool recycles = COEX_ADDRESS_SANITIZER == 0;

// What threads have that never gave a block back, or are ending: nothing in it ever changes.
constinit recycled_blocks closed;

// A frame can die after its thread's blocks did (in the destructor of another thread-local, or of a static).
constinit thread_local bool gone = false;

constexpr std::size_t block_bytes(std::size_t size_class) noexcept {
    constexpr std::size_t step = recycled_blocks::step_bytes;
    return size_class * step + step / 2;
}

// Blocks of some size start a cache line and fill whole ones: a block may be used by another thread than its neighbour,
// since whoever runs a stolen coroutine keeps its frame. Small blocks, of which there are many at rest, are not padded.
constexpr std::size_t least_padded_bytes = 192;
constexpr std::align_val_t line{64};

void* allocate_block(std::size_t size_class) {
    const std::size_t bytes = block_bytes(size_class);
    if (bytes < least_padded_bytes) return ::operator new(bytes);
    constexpr auto line_bytes = static_cast<std::size_t>(line);
    return ::operator new((bytes + line_bytes - 1) / line_bytes * line_bytes, line);
}

void deallocate_block(void* block, std::size_t size_class) noexcept {
    if (block_bytes(size_class) < least_padded_bytes) {
        ::operator delete(block);
    } else {
        ::operator delete(block, line);
    }
}

/// What threads that free more than they allocate leave for those that do the opposite, in batches: where one thread
/// posts and others run, every block takes this way. One for each size class.
///
/// Thread-safe: yes.
class exchange {
public:
    static constexpr std::size_t batch = recycled_blocks::most_blocks / 2;

    // Asked without the lock first: while posts run ahead of the workers every allocation comes here in vain, and while
    // the workers catch up every deallocation.
    [[nodiscard]] bool is_empty() const noexcept {
        // ORDER: relaxed; under the lock it is exact, without it a stale answer costs a visit to the heap or the lock.
        return batches_.load(std::memory_order_relaxed) == 0;
    }
    [[nodiscard]] bool is_full(std::size_t bytes) const noexcept {
        // ORDER: relaxed; as in is_empty().
        const std::size_t batches = batches_.load(std::memory_order_relaxed);
        return batches > 0 && batches * batch * bytes >= most_bytes;
    }

    /// Takes the upper half of a full stack. Returns false when there is enough of them here.
    bool take(recycled_blocks::stack& from, std::size_t bytes) noexcept {
        if (is_full(bytes)) return false;
        chained* chain = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (is_full(bytes)) return false;
            for (std::size_t i = 0; i < batch; ++i) {
                chain = ::new (*--from.top) chained{chain, nullptr};
            }
            chain->next_batch = first_;
            first_ = chain;
            // ORDER: relaxed; as in is_empty().
            batches_.store(batches_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
        return true;
    }

    /// Fills an empty stack by half. Returns false when there is nothing.
    bool give(recycled_blocks::stack& to) noexcept {
        if (is_empty()) return false;
        chained* chain = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (is_empty()) return false;
            chain = first_;
            first_ = chain->next_batch;
            // ORDER: relaxed; as in is_empty().
            batches_.store(batches_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
        }
        for (; chain != nullptr; chain = chain->next) *to.top++ = chain;
        return true;
    }

private:
    // How much of a size class may lie here: at least one batch.
    static constexpr std::size_t most_bytes = std::size_t{512} * 1024;

    struct chained {
        chained* next;
        chained* next_batch;
    };

    std::mutex mutex_;
    chained* first_ = nullptr;             // OWNER: mutex_
    std::atomic<std::size_t> batches_{0};  // written under mutex_
};

// Never destroyed: trivially so.
constinit exchange exchanges[recycled_blocks::class_count];

struct thread_blocks : recycled_blocks {
    thread_blocks() noexcept { this_thread_blocks = this; }
    thread_blocks(const thread_blocks&) = delete;
    thread_blocks& operator=(const thread_blocks&) = delete;
    ~thread_blocks() {
        this_thread_blocks = &closed;
        gone = true;
        for (std::size_t size_class = 0; size_class < class_count; ++size_class) {
            stack& each = stacks[size_class];
            if (!has_room(each)) continue;
            while (each.top[-1] != nullptr) deallocate_block(*--each.top, size_class);
            ::operator delete(each.top - 1);
        }
    }

    // The stack of the calling thread, able to take blocks; null when that is over, or memory is short.
    static stack* opened(std::size_t size_class) noexcept {
        if (!recycles || gone) return nullptr;
        thread_local thread_blocks own;
        stack& kept = own.stacks[size_class];
        if (!has_room(kept)) {
            auto* const room = static_cast<void**>(::operator new((1 + most_blocks) * sizeof(void*), std::nothrow));
            if (room == nullptr) return nullptr;
            room[0] = nullptr;
            kept.top = room + 1;
            kept.end = kept.top + most_blocks;
        }
        return &kept;
    }

    static bool has_room(const stack& kept) noexcept { return kept.end != no_block + 1; }
};

}  // namespace

constinit void* no_block[1] = {nullptr};
constinit thread_local recycled_blocks* this_thread_blocks = &closed;

// Not inlined, as the address of a thread-local must not be kept across the suspension of a coroutine.
COEX_NOINLINE void* recycling_allocate_slowly(std::size_t bytes) {
    const std::size_t size_class = recycled_blocks::class_of(bytes);
    if (!exchanges[size_class].is_empty()) {
        recycled_blocks::stack* const kept = thread_blocks::opened(size_class);
        if (kept != nullptr && exchanges[size_class].give(*kept)) return *--kept->top;
    }
    return allocate_block(size_class);
}

COEX_NOINLINE void recycling_deallocate_slowly(void* block, std::size_t bytes) noexcept {
    const std::size_t size_class = recycled_blocks::class_of(bytes);
    // A stack that has room for blocks is full when this is called.
    const bool is_full = thread_blocks::has_room(this_thread_blocks->stacks[size_class]);
    if (is_full && exchanges[size_class].is_full(block_bytes(size_class))) return deallocate_block(block, size_class);
    if (recycled_blocks::stack* const kept = thread_blocks::opened(size_class)) {
        if (kept->top != kept->end || exchanges[size_class].take(*kept, block_bytes(size_class))) {
            *kept->top++ = block;
            return;
        }
    }
    deallocate_block(block, size_class);
}

}  // namespace coex::inline v0::detail
