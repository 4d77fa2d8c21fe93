#pragma once

#include <exec/pool/static_thread_pool.hpp>
#include <exec/pool/submission.hpp>

#include <atomic>
#include <latch>
#include <thread>

namespace coex_test {

/// Blocks worker 0 until `release` opens. Another one that has grown meanwhile may come first: it lets go.
inline coex::submission<void> hold_first_worker(coex::static_thread_pool& pool, std::latch& release) {
    for (;;) {
        std::atomic<int> first{-1};
        auto held = pool.submit([&pool, &first, &release] {
            const bool is_first = pool.this_thread_index() == 0U;
            first.store(is_first ? 1 : 0);
            // LIFETIME: `first` may be gone.
            if (is_first) release.wait();
        });
        while (first.load() < 0) std::this_thread::yield();
        if (first.load() == 1) return held;
        held.get();
    }
}

}  // namespace coex_test
