#include <exec/base/recycling.hpp>

#include <exec/base/config.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

/// Heap blocks that are in use in the whole program: the operators below count them.
std::atomic<std::int64_t> live{0};

}  // namespace

// Not inlined: g++ would warn of a block from `new` that goes to std::free.
COEX_NOINLINE void* operator new(std::size_t bytes) {
    void* const block = std::malloc(bytes == 0 ? 1 : bytes);
    if (block == nullptr) throw std::bad_alloc();
    live.fetch_add(1);
    return block;
}
COEX_NOINLINE void operator delete(void* block) noexcept {
    if (block == nullptr) return;
    live.fetch_sub(1);
    std::free(block);
}
COEX_NOINLINE void operator delete(void* block, std::size_t) noexcept {
    operator delete(block);
}
COEX_NOINLINE void* operator new(std::size_t bytes, std::align_val_t alignment) {
    void* const block = std::aligned_alloc(static_cast<std::size_t>(alignment), bytes);
    if (block == nullptr) throw std::bad_alloc();
    live.fetch_add(1);
    return block;
}
COEX_NOINLINE void operator delete(void* block, std::align_val_t) noexcept {
    operator delete(block);
}
COEX_NOINLINE void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    operator delete(block);
}

namespace {

using coex::recycling_allocate;
using coex::recycling_deallocate;

constexpr std::size_t kept_at_most = 128;  // blocks of one size class that a thread keeps

/// What `body` leaves on the heap when it has a thread of its own.
template <class Body>
std::int64_t left_by_thread(Body body) {
    const std::int64_t before = live.load();
    std::thread(body).join();
    return live.load() - before;
}

TEST(recycling, smoke_blocks_of_all_sizes_are_aligned_and_separate) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    struct piece {
        unsigned char* start;
        std::size_t bytes;
        unsigned char mark;
    };
    std::vector<piece> pieces;
    for (int round = 0; round < 5'000; ++round) {
        if (pieces.size() < 50 || random() % 2 == 0) {
            const std::size_t bytes = random() % 3'000;
            auto* const start = static_cast<unsigned char*>(recycling_allocate(bytes));
            ASSERT_EQ(reinterpret_cast<std::uintptr_t>(start) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0U);
            const auto mark = static_cast<unsigned char>(round);
            std::memset(start, mark, bytes);
            pieces.push_back({start, bytes, mark});
            continue;
        }
        std::swap(pieces[random() % pieces.size()], pieces.back());
        const piece gone = pieces.back();
        pieces.pop_back();
        for (std::size_t i = 0; i < gone.bytes; ++i) ASSERT_EQ(gone.start[i], gone.mark);
        recycling_deallocate(gone.start, gone.bytes);
    }
    for (const piece& each : pieces) recycling_deallocate(each.start, each.bytes);
}

TEST(recycling, a_block_that_was_given_back_serves_the_next_of_its_size_class) {
    if (COEX_ADDRESS_SANITIZER != 0) GTEST_SKIP() << "nothing is recycled under the address sanitizer";
    void* const first = recycling_allocate(100);
    recycling_deallocate(first, 100);
    const std::int64_t before = live.load();
    void* const second = recycling_allocate(104);
    EXPECT_EQ(second, first);
    EXPECT_EQ(live.load(), before);
    recycling_deallocate(second, 104);
}

TEST(recycling, blocks_of_some_size_share_no_cache_line) {
    constexpr std::size_t bytes = 300;
    std::vector<void*> blocks(100);
    for (void*& each : blocks) {
        each = recycling_allocate(bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(each) % 64, 0U);
    }
    for (void* each : blocks) recycling_deallocate(each, bytes);
}

TEST(recycling, a_bounded_number_of_blocks_is_kept) {
    constexpr std::int64_t passed_on_at_most = (512 * 1024 + 64 * 200) / 200;  // for threads that need some
    std::vector<void*> blocks(100 * kept_at_most);
    for (void*& each : blocks) each = recycling_allocate(200);
    const std::int64_t before = live.load();
    std::int64_t after = 0;
    std::thread([&] {
        for (void* each : blocks) recycling_deallocate(each, 200);
        after = live.load();
    }).join();
    const auto freed_at_least = static_cast<std::int64_t>(blocks.size() - kept_at_most) - passed_on_at_most;
    EXPECT_LE(after - before, -freed_at_least + 4) << "4: what the thread itself needs";
}

TEST(recycling, what_one_thread_frees_serves_another) {
    if (COEX_ADDRESS_SANITIZER != 0) GTEST_SKIP() << "nothing is recycled under the address sanitizer";
    constexpr std::size_t bytes = 500;
    std::vector<void*> blocks(8 * kept_at_most);
    for (void*& each : blocks) each = recycling_allocate(bytes);
    std::thread([&] {
        for (void* each : blocks) recycling_deallocate(each, bytes);
    }).join();
    recycling_deallocate(recycling_allocate(bytes), bytes);
    const std::int64_t before = live.load();
    for (std::size_t i = 0; i < 4 * kept_at_most; ++i) blocks[i] = recycling_allocate(bytes);
    EXPECT_EQ(live.load(), before);
    for (std::size_t i = 0; i < 4 * kept_at_most; ++i) recycling_deallocate(blocks[i], bytes);
}

TEST(recycling, a_thread_that_ends_gives_its_blocks_back_to_the_heap) {
    EXPECT_EQ(left_by_thread([] {
                  std::vector<void*> blocks(kept_at_most);
                  for (void*& each : blocks) each = recycling_allocate(64);
                  for (void* each : blocks) recycling_deallocate(each, 64);
              }),
              0);
}

struct late {
    void* block = nullptr;
    ~late() {
        recycling_deallocate(block, 64);
        recycling_deallocate(recycling_allocate(64), 64);
    }
};

TEST(recycling, works_in_destructors_that_run_after_those_of_the_threads_lists) {
    EXPECT_EQ(left_by_thread([] {
                  thread_local late last;  // made before the lists, so destroyed after them
                  last.block = &last;
                  last.block = recycling_allocate(64);
              }),
              0);
}

TEST(recycling, no_loss_no_duplicate_when_blocks_are_given_back_on_another_thread) {
    constexpr int rounds = 20'000;
    EXPECT_EQ(left_by_thread([] {
                  std::atomic<std::size_t*> handed{nullptr};
                  std::thread taker([&handed] {
                      for (std::size_t i = 0; i < rounds; ++i) {
                          std::size_t* block = nullptr;
                          while ((block = handed.exchange(nullptr)) == nullptr) std::this_thread::yield();
                          EXPECT_EQ(*block, i);
                          recycling_deallocate(block, 64);
                      }
                  });
                  for (std::size_t i = 0; i < rounds; ++i) {
                      auto* const block = ::new (recycling_allocate(64)) std::size_t(i);
                      while (handed.load() != nullptr) std::this_thread::yield();
                      handed.store(block);
                  }
                  taker.join();
              }),
              0);
}

struct throwing {
    explicit throwing(bool does) {
        if (does) throw std::runtime_error("not made");
    }
    std::byte content[100'000];  // not recycled, so a lost block is seen at once
};

TEST(recycling, a_constructor_that_throws_loses_no_block) {
    const std::int64_t before = live.load();
    EXPECT_THROW(static_cast<void>(coex::detail::recycling_new<throwing>(true)), std::runtime_error);
    EXPECT_EQ(live.load(), before);
    coex::detail::recycling_delete(coex::detail::recycling_new<throwing>(false));
    EXPECT_EQ(live.load(), before);
}

TEST(recycling, more_bytes_than_there_can_be_are_refused) {
    for (const std::size_t divisor : {1U, 2U}) {
        const volatile std::size_t too_many = static_cast<std::size_t>(-1) / divisor;
        EXPECT_THROW(static_cast<void>(recycling_allocate(too_many)), std::bad_alloc);
    }
}

}  // namespace
