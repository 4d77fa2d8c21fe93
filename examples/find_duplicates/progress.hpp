#pragma once

#include "options.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace find_duplicates {

/// The status line on stderr: a bar while the total is known, a count otherwise.
///
/// Our own, as Debian packages no C++ library for it; it has to do little: a thread wakes up ten times a second, reads
/// two counters and writes one line. The search itself pays one addition to a counter for each file.
///
/// Thread-safe: advance(); the others by one thread.
class progress_line {
public:
    enum class unit { items, bytes };

    explicit progress_line(progress_mode mode);
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;
    ~progress_line();

    /// Begins a phase. `total` 0: unknown.
    void begin(std::string title, std::uint64_t total, unit counts);
    void advance(std::uint64_t count) noexcept { done_.fetch_add(count); }

    /// Removes the line for good.
    void finish() noexcept;

private:
    void run();
    void draw();
    [[nodiscard]] std::string text() const;

    const bool enabled_;
    std::atomic<std::uint64_t> done_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    // OWNER: mutex_
    std::string title_;
    std::uint64_t total_ = 0;
    unit unit_ = unit::items;
    bool finished_ = false;
    bool drawn_ = false;
    std::thread thread_;  // last: uses all of the above
};

}  // namespace find_duplicates
