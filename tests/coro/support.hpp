#pragma once

#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coex_test {

/// Counts how many objects of its kind exist. Has constructors, so that it may appear in any await expression.
class counted {
public:
    explicit counted(int number = 0) noexcept : value(number) { ++live; }
    counted(const counted& other) noexcept : value(other.value) { ++live; }
    counted(counted&& other) noexcept : value(std::exchange(other.value, -1)) { ++live; }
    counted& operator=(const counted&) noexcept = default;
    counted& operator=(counted&&) noexcept = default;
    ~counted() { --live; }

    int value;
    static inline std::atomic<int> live{0};
};

/// Lines that several threads write down.
class journal {
public:
    void write(std::string line) {
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
    }
    [[nodiscard]] std::vector<std::string> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

/// Writes its name down when it is destroyed: a local variable of a coroutine under test. With a pool, it adds whether
/// that was on one of the pool's workers.
class local {
public:
    local(journal& book, std::string name) : book_(&book), name_(std::move(name)) {}
    local(journal& book, std::string name, const coex::static_thread_pool& pool)
        : book_(&book), pool_(&pool), name_(std::move(name)) {}
    local(const local&) = delete;
    local& operator=(const local&) = delete;
    ~local() {
        if (pool_ != nullptr) name_ += pool_->this_thread_index() ? " on its pool" : " elsewhere";
        book_->write(name_);
    }

private:
    journal* book_;
    const coex::static_thread_pool* pool_ = nullptr;
    std::string name_;
};

/// True when the calling thread is a worker of `pool`.
[[nodiscard]] inline bool is_on(const coex::static_thread_pool& pool) {
    return pool.this_thread_index().has_value();
}

}  // namespace coex_test
