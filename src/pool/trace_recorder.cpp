#include <exec/pool/trace_recorder.hpp>

#include "pool/trace_buffer.hpp"
#include "pool/trace_writer.hpp"

#include <exec/base/exceptions.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <new>
#include <ostream>
#include <vector>

namespace coex::inline v0 {
namespace {

using detail::trace_buffer;
using detail::trace_detail;
using detail::trace_event;
using detail::trace_kind;

std::uint64_t next_number() noexcept {
    static std::atomic<std::uint64_t> numbers{0};
    return numbers.fetch_add(1) + 1;
}

// Which buffer the calling thread has in the recorder that it last told something.
struct remembered_buffer {
    std::uint64_t recorder = 0;
    trace_buffer* buffer = nullptr;
};
thread_local remembered_buffer remembered;

std::uint64_t this_thread_number() noexcept {
    thread_local const std::uint64_t number = next_number();
    return number;
}

}  // namespace

/// The buffers of all threads.
class trace_recorder::buffers {
public:
    explicit buffers(const trace_options& options)
        : capacity_(std::max<std::size_t>(options.events_per_thread, 1)), most_(options.threads) {}

    [[nodiscard]] std::uint64_t now() const noexcept {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count());
    }

    void add(trace_kind kind, std::uint64_t number = 0, std::uint64_t what = 0) noexcept {
        add({now(), kind, number, what});
    }
    void add(const trace_event& event) noexcept {
        if (trace_buffer* const own = own_buffer()) {
            own->add(event);
        } else {
            // ORDER: relaxed; a count.
            homeless_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    void note_pool(const observed_pool& pool) noexcept {
        const std::lock_guard lock(mutex_);
        COEX_TRY {
            pools_.push_back(pool);
        }
        COEX_CATCH(const std::bad_alloc&) {  // it will go without a name
        }
    }
    void begin_worker(const observed_pool& pool, std::size_t worker) noexcept {
        const std::lock_guard lock(mutex_);
        remembered = {id_, make(pool.number, worker)};
    }
    void end_worker() noexcept {
        const std::lock_guard lock(mutex_);
        of_threads_.erase(this_thread_number());
        remembered = {};
    }

    [[nodiscard]] std::uint64_t dropped() const noexcept {
        const std::lock_guard lock(mutex_);
        // ORDER: relaxed; a count.
        std::uint64_t sum = homeless_.load(std::memory_order_relaxed);
        for (const auto& each : all_) sum += each->dropped();
        return sum;
    }

    /// Copies what is kept. The buffers themselves stay as long as the recorder.
    void collect(detail::trace_content& content) const {
        const std::lock_guard lock(mutex_);
        content.pools = pools_;
        for (const auto& each : all_) content.threads.push_back({each->pool(), each->worker(), 0, {}});
        for (std::size_t i = 0; i < all_.size(); ++i) {
            content.threads[i].events = all_[i]->copy();
            content.threads[i].dropped = all_[i]->dropped();
        }
        content.end = now();
    }

private:
    [[nodiscard]] trace_buffer* own_buffer() noexcept {
        if (remembered.recorder == id_) return remembered.buffer;
        const std::lock_guard lock(mutex_);
        const auto known = of_threads_.find(this_thread_number());
        remembered = {id_, known != of_threads_.end() ? known->second : make(0, others_++)};
        return remembered.buffer;
    }
    // OWNER of what follows: mutex_.
    [[nodiscard]] trace_buffer* make(std::uint64_t pool, std::size_t worker) noexcept {
        COEX_TRY {
            trace_buffer*& own = of_threads_[this_thread_number()];
            if (all_.size() >= most_) return own = nullptr;
            all_.push_back(std::make_unique<trace_buffer>(pool, worker, capacity_));
            return own = all_.back().get();
        }
        COEX_CATCH(const std::bad_alloc&) {
            return nullptr;
        }
    }

    const std::uint64_t id_ = next_number();
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    const std::size_t capacity_;
    const std::size_t most_;
    mutable std::mutex mutex_;
    std::vector<observed_pool> pools_;
    std::vector<std::unique_ptr<trace_buffer>> all_;
    std::map<std::uint64_t, trace_buffer*> of_threads_;
    std::size_t others_ = 0;
    std::atomic<std::uint64_t> homeless_{0};
};

trace_recorder::trace_recorder(trace_options options) : buffers_(new buffers(options)) {}
trace_recorder::~trace_recorder() = default;

void trace_recorder::write(std::ostream& out) const {
    detail::trace_content content;
    buffers_->collect(content);
    content.dropped = dropped();
    detail::write_trace(out, content);
}

std::uint64_t trace_recorder::dropped() const noexcept {
    return buffers_->dropped();
}

trace_recorder::span::span(trace_recorder& recorder, const char* name) noexcept
    : recorder_(recorder), name_(name), begin_(recorder.buffers_->now()) {}

trace_recorder::span::~span() {
    buffers& all = *recorder_.buffers_;
    all.add({begin_, trace_kind::span, reinterpret_cast<std::uintptr_t>(name_), all.now() - begin_});
}

void trace_recorder::pool_started(const observed_pool& pool) noexcept {
    buffers_->note_pool(pool);
}
void trace_recorder::pool_draining(const observed_pool& pool) noexcept {
    buffers_->add(trace_kind::draining, 0, trace_detail(pool.number, 0));
}
void trace_recorder::pool_stopped(const observed_pool&) noexcept {}

void trace_recorder::worker_started(const observed_pool& pool, std::size_t worker) noexcept {
    buffers_->begin_worker(pool, worker);
}
void trace_recorder::worker_stopped(const observed_pool&, std::size_t) noexcept {
    buffers_->add(trace_kind::worker_stopped);
    buffers_->end_worker();
}
void trace_recorder::worker_parked(const observed_pool&, std::size_t) noexcept {
    buffers_->add(trace_kind::parked);
}
void trace_recorder::worker_woken(const observed_pool&, std::size_t) noexcept {
    buffers_->add(trace_kind::woken);
}
void trace_recorder::worker_notified(const observed_pool& pool, std::size_t worker) noexcept {
    buffers_->add(trace_kind::notified, 0, trace_detail(pool.number, worker));
}
void trace_recorder::task_posted(const observed_pool& pool, std::uintptr_t task, priority level) noexcept {
    buffers_->add(trace_kind::posted, task, trace_detail(pool.number, static_cast<std::size_t>(level)));
}
void trace_recorder::task_stolen(const observed_pool&, std::size_t, std::size_t victim, std::uintptr_t task) noexcept {
    buffers_->add(trace_kind::stolen, task, victim);
}
void trace_recorder::task_started(const observed_pool&, std::size_t, std::uintptr_t task) noexcept {
    buffers_->add(trace_kind::started, task);
}
void trace_recorder::task_ended(const observed_pool&, std::size_t, std::uintptr_t task) noexcept {
    buffers_->add(trace_kind::ended, task);
}

}  // namespace coex::inline v0
