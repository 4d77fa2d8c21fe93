#include "mutex_pool.hpp"

#include <utility>

namespace granularity {

mutex_pool::mutex_pool(unsigned threads) {
    try {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        changed_.notify_all();
        throw;
    }
}

mutex_pool::~mutex_pool() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
}

void mutex_pool::post(std::function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(task));
    }
    changed_.notify_one();
}

void mutex_pool::work() {
    for (;;) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const auto task = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        task();
    }
}

}  // namespace granularity
