#pragma once

#include "io/service.hpp"

#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace coex_test {

/// What the rings of this process hold, as the kernel tells it.
struct ring_entries {
    std::size_t rings = 0;
    std::size_t unsubmitted = 0;  // submission entries that the kernel has not taken
    std::size_t untaken = 0;      // completions that nobody has taken, those that overflowed too
    std::size_t watches = 0;      // operations that wait for a descriptor

    /// A ring in which its owner rests holds one operation, the watch for wake-ups.
    [[nodiscard]] bool at_rest() const { return unsubmitted == 0 && untaken == 0 && watches <= rings; }

    [[nodiscard]] static ring_entries of_process() {
        ring_entries all;
        for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
            std::error_code gone;
            if (std::filesystem::read_symlink(each.path(), gone) == "anon_inode:[io_uring]") all.add(each.path());
        }
        return all;
    }

private:
    void add(const std::filesystem::path& descriptor) {
        ++rings;
        std::ifstream file("/proc/self/fdinfo" / descriptor.filename());
        std::size_t taken = 0;
        bool overflowed = false;
        for (std::string line; std::getline(file, line);) {
            const std::size_t colon = line.find(':');
            const std::string name = line.substr(0, colon);
            const auto number = [&] { return std::size_t{std::stoul(line.substr(colon + 1))}; };
            if (name == "SqHead" || name == "CqHead") taken = number();
            if (name == "SqTail") unsubmitted += number() - taken;
            if (name == "CqTail") untaken += number() - taken;
            if (name == "CqOverflowList") overflowed = true;
            if (line.find("op=") != std::string::npos) ++watches;
            if (overflowed && line.find("user_data=") != std::string::npos) ++untaken;
        }
    }
};

/// Waits until nothing of what was begun is left in the backend: no operation, no entry of a ring. Fails when something
/// stays.
inline void expect_nothing_in_flight(coex::static_thread_pool& pool) {
    constexpr int most_looks = 30'000;
    ring_entries entries;
    for (int i = 0; i < most_looks; ++i) {
        entries = ring_entries::of_process();
        if (coex::detail::io_service::of(pool).quiet() && entries.at_rest()) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "left in flight in the backend: " << (coex::detail::io_service::of(pool).quiet() ? "none" : "some")
                  << "; of " << entries.rings << " rings: " << entries.unsubmitted << " entries not submitted, "
                  << entries.untaken << " completions not taken, " << entries.watches << " watches";
}

/// A buffer that operations may use as long as it lives. It is kept after that for a while, to see that nobody has
/// written into it since.
class lent_buffer {
public:
    static constexpr std::size_t bytes = 4096;

    lent_buffer() { count(1); }
    lent_buffer(const lent_buffer&) = delete;
    lent_buffer& operator=(const lent_buffer&) = delete;
    ~lent_buffer() {
        block_->fill(untouched);
        const std::lock_guard lock(mutex_);
        given_back_.push_back(std::move(block_));
        --lent_;
    }

    [[nodiscard]] static constexpr std::size_t size() noexcept { return bytes; }
    [[nodiscard]] std::byte* data() const noexcept { return block_->data(); }
    [[nodiscard]] std::byte* begin() const noexcept { return data(); }
    [[nodiscard]] std::byte* end() const noexcept { return data() + bytes; }
    [[nodiscard]] std::byte& operator[](std::size_t index) const noexcept { return (*block_)[index]; }
    void fill(std::byte value) const noexcept { block_->fill(value); }

    /// All have been given back, and are as they were then.
    static void expect_all_back() {
        const std::lock_guard lock(mutex_);
        EXPECT_EQ(lent_, 0) << "buffers that were not given back";
        for (const auto& each : given_back_) {
            EXPECT_TRUE(std::all_of(each->begin(), each->end(), [](std::byte one) { return one == untouched; }))
                << "somebody wrote into a buffer that was given back";
        }
        given_back_.clear();
    }

private:
    static constexpr std::byte untouched{0xa5};
    using block = std::array<std::byte, bytes>;

    static void count(int change) {
        const std::lock_guard lock(mutex_);
        lent_ += change;
    }

    inline static std::mutex mutex_;
    inline static int lent_ = 0;                                    // OWNER: mutex_
    inline static std::vector<std::unique_ptr<block>> given_back_;  // OWNER: mutex_

    std::unique_ptr<block> block_ = std::make_unique<block>();
};

}  // namespace coex_test
