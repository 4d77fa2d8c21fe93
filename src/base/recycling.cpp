#include <exec/base/recycling.hpp>

#include <exec/base/config.hpp>

namespace coex::inline v0::detail {
namespace {

// The address sanitizer finds a use after free only when the block really goes back to the heap.
constexpr bool recycles = COEX_ADDRESS_SANITIZER == 0;

// What threads have that never gave a block back, or are ending: nothing in it ever changes.
constinit recycled_blocks closed;

// A frame can die after its thread's blocks did (in the destructor of another thread-local, or of a static).
constinit thread_local bool gone = false;

struct thread_blocks : recycled_blocks {
    thread_blocks() noexcept { this_thread_blocks = this; }
    thread_blocks(const thread_blocks&) = delete;
    thread_blocks& operator=(const thread_blocks&) = delete;
    ~thread_blocks() {
        this_thread_blocks = &closed;
        gone = true;
        for (stack& each : stacks) {
            while (each.count > 0) ::operator delete(each.blocks[--each.count]);
            ::operator delete(each.blocks);
        }
    }

    // Lets the stack take blocks. Returns false when it is full, or has no memory to keep them in.
    static bool open(stack& kept) noexcept {
        if (kept.limit != 0) return false;
        kept.blocks = static_cast<void**>(::operator new(most_blocks * sizeof(void*), std::nothrow));
        if (kept.blocks == nullptr) return false;
        kept.limit = most_blocks;
        return true;
    }
};

}  // namespace

constinit thread_local recycled_blocks* this_thread_blocks = &closed;

// Not inlined, as the address of a thread-local must not be kept across the suspension of a coroutine.
COEX_NOINLINE void* recycling_allocate_slowly(std::size_t bytes) {
    constexpr std::size_t step = recycled_blocks::step_bytes;
    return ::operator new(recycled_blocks::class_of(bytes) * step + step / 2);
}

COEX_NOINLINE void recycling_deallocate_slowly(void* block, std::size_t bytes) noexcept {
    if (recycles && !gone) {
        thread_local thread_blocks own;
        if (thread_blocks::open(own.stacks[recycled_blocks::class_of(bytes)])) {
            recycling_deallocate(block, bytes);
            return;
        }
    }
    ::operator delete(block);
}

}  // namespace coex::inline v0::detail
