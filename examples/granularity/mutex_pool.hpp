#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace granularity {

/// A pool as wadingpool's: one queue behind one mutex. Its destructor runs what was posted.
class mutex_pool {
public:
    explicit mutex_pool(unsigned threads);
    mutex_pool(const mutex_pool&) = delete;
    mutex_pool& operator=(const mutex_pool&) = delete;
    ~mutex_pool();

    void post(std::function<void()> task);

private:
    void work();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;  // OWNER: mutex_
    bool ending_ = false;                      // OWNER: mutex_
    std::vector<std::jthread> threads_;
};

}  // namespace granularity
