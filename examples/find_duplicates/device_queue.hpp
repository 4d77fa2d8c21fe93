#pragma once

#include "candidates.hpp"

#include <exec/exec.hpp>

#include <atomic>
#include <cstddef>
#include <vector>

namespace find_duplicates {

/// The files that one stage has to read from one device, in the order in which to read them.
///
/// Thread-safe: next().
class device_queue {
public:
    device_queue(coex::static_thread_pool& pool, std::size_t lanes) : pool_(&pool), lanes_(lanes) {}

    /// Before the lanes start.
    void add(candidate& file) { files_.push_back(&file); }
    void sort_by_place();

    /// Returns the next file to be read, or null.
    [[nodiscard]] candidate* next() noexcept {
        const std::size_t index = next_.fetch_add(1);
        return index < files_.size() ? files_[index] : nullptr;
    }

    [[nodiscard]] coex::static_thread_pool& pool() const noexcept { return *pool_; }
    [[nodiscard]] std::size_t lanes() const noexcept { return lanes_; }
    [[nodiscard]] std::size_t size() const noexcept { return files_.size(); }

private:
    coex::static_thread_pool* pool_;
    std::size_t lanes_;  // files to be read at once
    std::vector<candidate*> files_;
    std::atomic<std::size_t> next_{0};
};

}  // namespace find_duplicates
