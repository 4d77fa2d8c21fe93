#include <exec/base/recycling.hpp>

#include <exec/base/config.hpp>

#include <array>

namespace coex::inline v0 {
namespace {

constexpr std::size_t class_bytes = 64;
constexpr std::size_t class_count = 32;  // blocks up to 2 KiB are recycled, larger ones go to the heap
constexpr std::size_t blocks_per_class =
    128;  // bounds what a thread that only frees can hoard: 64 KiB to 256 KiB a class

struct free_block {
    free_block* next;
};

struct thread_cache {
    struct list {
        free_block* head = nullptr;
        std::size_t count = 0;
    };
    std::array<list, class_count> lists;

    ~thread_cache();
};

// A frame can die after its thread's cache did (in the destructor of another thread-local, or of a static): `gone` is
// trivially destructible, so it may still be read then.
thread_local bool gone = false;
thread_local thread_cache cache;

thread_cache::~thread_cache() {
    gone = true;
    for (list& blocks : lists) {
        while (blocks.head != nullptr) {
            free_block* block = blocks.head;
            blocks.head = block->next;
            ::operator delete(block);
        }
    }
}

constexpr std::size_t class_of(std::size_t bytes) {
    return bytes == 0 ? 0 : (bytes - 1) / class_bytes;
}

// The address sanitizer finds a use after free only when the block really goes back to the heap.
constexpr bool recycles = COEX_ADDRESS_SANITIZER == 0;

}  // namespace

// Not inlined, as the address of a thread-local must not be kept across the suspension of a coroutine.
COEX_NOINLINE void* recycling_allocate(std::size_t bytes) {
    const std::size_t index = class_of(bytes);
    if (!recycles || index >= class_count) return ::operator new(bytes);
    if (!gone) {
        thread_cache::list& blocks = cache.lists[index];
        if (free_block* block = blocks.head) {
            blocks.head = block->next;
            --blocks.count;
            return block;
        }
    }
    return ::operator new((index + 1) * class_bytes);
}

COEX_NOINLINE void recycling_deallocate(void* block, std::size_t bytes) noexcept {
    const std::size_t index = class_of(bytes);
    if (recycles && index < class_count && !gone) {
        thread_cache::list& blocks = cache.lists[index];
        if (blocks.count < blocks_per_class) {
            blocks.head = ::new (block) free_block{blocks.head};
            ++blocks.count;
            return;
        }
    }
    ::operator delete(block);
}

}  // namespace coex::inline v0
