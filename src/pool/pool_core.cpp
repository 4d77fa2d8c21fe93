#include "pool/pool_core.hpp"

#include "pool/checked_options.hpp"

#include <exec/base/assert.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/process_wide_barrier.hpp>
#include <exec/sys/cpu_count.hpp>

#include <sched.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace coex::inline v0::detail {
namespace {

// PERF: bench hop, wake; some 10 us, what waking costs a thread that posts.
constexpr unsigned rounds_before_sleep = 64;

unsigned search_rounds_for(unsigned workers) {
    static const unsigned cpus = available_cpus();
    return workers > cpus ? 1 : rounds_before_sleep;
}

class thread_attributes {
public:
    thread_attributes() { check(pthread_attr_init(&attributes_), "pthread_attr_init"); }
    thread_attributes(const thread_attributes&) = delete;
    thread_attributes& operator=(const thread_attributes&) = delete;
    ~thread_attributes() { pthread_attr_destroy(&attributes_); }

    void set_stack(std::size_t bytes) {
        check(pthread_attr_setstacksize(&attributes_, bytes),
              "stack_bytes = " + std::to_string(bytes) + " is not a valid stack size (too small?)");
    }
    void set_cpu(unsigned cpu) {
        cpu_set_t* set = CPU_ALLOC(cpu + 1);
        if (set == nullptr) detail::throw_exception(std::bad_alloc());
        const std::size_t bytes = CPU_ALLOC_SIZE(cpu + 1);
        CPU_ZERO_S(bytes, set);
        CPU_SET_S(cpu, bytes, set);
        const int failed = pthread_attr_setaffinity_np(&attributes_, bytes, set);
        CPU_FREE(set);
        check(failed, "cannot pin to CPU " + std::to_string(cpu));
    }
    [[nodiscard]] const pthread_attr_t* get() const noexcept { return &attributes_; }

private:
    static void check(int error, const std::string& what) {
        if (error != 0)
            detail::throw_exception(std::system_error(error, std::system_category(), "static_thread_pool: " + what));
    }

    pthread_attr_t attributes_{};
};

// Linux shows 15 characters: the index must survive.
constexpr std::size_t shown_name = 15;

std::string numbered_name(const std::string& pool, unsigned index) {
    const std::string suffix = "/" + std::to_string(index);
    return pool.substr(0, shown_name - std::min(shown_name, suffix.size())) + suffix;
}

void name_this_thread(const std::string& name) noexcept {
    std::array<char, shown_name + 1> shown{};
    name.copy(shown.data(), shown_name);
    pthread_setname_np(pthread_self(), shown.data());
}

}  // namespace

pool_core::pool_core(pool_options options)
    : options_(checked(std::move(options))),
      observed_(options_.observer, options_.name, options_.threads),
      search_rounds_(search_rounds_for(options_.threads)),
      idle_(injector_.idle_counts(), options_.threads, options_.max_threads) {
    if (options_.queue_limit != 0) gate_.emplace(options_.queue_limit);
    workers_.resize(options_.max_threads);
    threads_.reserve(options_.threads);
    names_.reserve(options_.max_threads);
    for (unsigned index = 0; index < options_.max_threads; ++index) {
        names_.push_back(options_.thread_name ? options_.thread_name(index) : numbered_name(options_.name, index));
    }
    while (made_.load() < options_.threads) static_cast<void>(make_worker());
    if (options_.max_threads > options_.threads) growth_ = std::make_unique<growth>(*this);
    observed_.pool_started();
    start_threads();
    if (options_.use_current_thread) workers_[0]->adopt_this_thread();
}

pool_core::~pool_core() {
    worker* const adopted = options_.use_current_thread ? workers_[0].get() : nullptr;
    COEX_REQUIRE(
        current_worker() == nullptr || current_worker() == adopted,
        "static_thread_pool: destroyed on one of its own workers, which would have to wait for itself; let a thread "
        "outside the pool own it");
    COEX_REQUIRE(adopted == nullptr || (current_worker() == adopted && !adopted->inside_task()),
                 "static_thread_pool: made with use_current_thread, and destroyed on another thread or inside a task; "
                 "the thread that made it must destroy it, outside of its tasks");
    observed_.pool_draining();
    draining_.store(true);
    stop_extensions();
    timers_.close();
    timers_closed_.store(true);
    idle_.wake_all();
    if (adopted != nullptr) adopted->work_to_the_end();
    shut_down();
}

// One that is made later finds the pool draining. Not under the mutex: users' stop callbacks run here, which may wait
// for a task that is the first to make an extension.
void pool_core::stop_extensions() noexcept {
    std::array<pool_extension*, extension_kinds> made{};
    {
        const std::lock_guard lock(extension_mutex_);
        for (std::size_t i = 0; i < made.size(); ++i) made[i] = extensions_[i].get();
    }
    for (pool_extension* const each : made) {
        if (each != nullptr) each->stop();
    }
}

void pool_core::shut_down() noexcept {
    for (pthread_t thread : threads_) pthread_join(thread, nullptr);
    if (growth_ != nullptr) growth_->join();
    bodies_.wait_for_all();
    while (visitors_.load() != 0) std::this_thread::yield();
    observed_.pool_stopped();
}

execution_context& pool_core::place() noexcept {
    if (observed_.wanted()) return observed_place_;
    return *this;
}

execution_context& pool_core::place(priority level) noexcept {
    switch (level) {
        case priority::high:
            return levels_.high;
        case priority::low:
            return levels_.low;
        case priority::normal:
            break;
    }
    return place();
}

// A worker made meanwhile either is among those that are told here, or finds levels_wanted_ set.
void pool_core::note_levels() noexcept {
    if (uses_levels_.load()) return;
    levels_wanted_.store(true);
    const std::size_t made = worker_count();
    for (std::size_t i = 0; i < made; ++i) workers_[i]->look_at_levels();
    uses_levels_.store(true);
}

void pool_core::start_threads() {
    COEX_TRY {
        for (unsigned index = options_.use_current_thread ? 1 : 0; index < options_.threads; ++index) {
            if (options_.spawn_thread) {
                spawn_by_handler(index);
            } else {
                threads_.push_back(start_thread(index));
            }
        }
        if (growth_ != nullptr) growth_->start();
    }
    COEX_CATCH(...) {
        terminated_.store(true);
        idle_.wake_all();
        shut_down();
        COEX_RETHROW;
    }
}

std::size_t pool_core::make_worker() {
    const std::size_t index = made_.load();
    workers_[index] = std::make_unique<worker>(*this, static_cast<unsigned>(index));
    made_.store(index + 1);
    if (levels_wanted_.load()) workers_[index]->look_at_levels();
    return index;
}

pthread_t pool_core::start_thread(unsigned index) {
    thread_attributes attributes;
    if (options_.stack_bytes != 0) attributes.set_stack(options_.stack_bytes);
    if (!options_.cpus.empty()) attributes.set_cpu(options_.cpus[index % options_.cpus.size()]);
    pthread_t thread{};
    const int failed = pthread_create(&thread, attributes.get(), &pool_core::thread_main, workers_[index].get());
    if (failed != 0) {
        std::string what = "static_thread_pool '" + options_.name + "': cannot start worker " + std::to_string(index) +
                           " of " + std::to_string(options_.threads);
        if (!options_.cpus.empty()) {
            what += " on CPU " + std::to_string(options_.cpus[index % options_.cpus.size()]) +
                    " (is it among those that this process may use?)";
        }
        detail::throw_exception(std::system_error(failed, std::system_category(), what));
    }
    return thread;
}

void* pool_core::thread_main(void* argument) noexcept {
    auto& self = *static_cast<worker*>(argument);
    name_this_thread(self.pool().thread_name(self.index()));
    self.pool().run_worker(self);
    return nullptr;
}

void pool_core::run_worker(worker& which) noexcept {
    which.run();
    if (which.has_left()) growth_->left(which);
}

void pool_core::spawn_by_handler(unsigned index) {
    making_thread_.store(std::this_thread::get_id());
    body_dropped_.store(false);
    bodies_.lend();
    options_.spawn_thread(thread_body(*workers_[index]));
    making_thread_.store(std::thread::id());
    if (!body_dropped_.load()) return;
    detail::throw_exception(
        std::invalid_argument("static_thread_pool '" + options_.name + "': spawn_thread dropped the body of worker " +
                              std::to_string(index) + ": it must have body.run() called on a thread of its own"));
}

void pool_core::run_body(worker& which) noexcept {
    COEX_REQUIRE(worker::current() == nullptr && making_thread_.load() != std::this_thread::get_id(),
                 "thread_body: run() on the thread that makes the pool, or on a worker, would never return; call it on "
                 "a thread of its own");
    run_worker(which);
    bodies_.give_back();
}

void pool_core::drop_body(worker&) noexcept {
    COEX_REQUIRE(making_thread_.load() == std::this_thread::get_id(),
                 "thread_body: dropped without run() after spawn_thread had returned; the pool counts on this worker");
    body_dropped_.store(true);
    bodies_.give_back();
}

void pool_core::submit(work_item* item) noexcept {
    if (worker* const here = current_worker(); here != nullptr && here->try_push_ready(item)) {
        if (!here->collecting()) idle_.notify_one();
        return;
    }
    inject(item, item);
}

// As soon as an item is linked it may run, and the pool be destroyed: who has to wake somebody counts as a visitor from
// before that on. Who has not, does not touch the pool any more.
void pool_core::inject_into(injector& queue, work_item* first, work_item* last) noexcept {
    const bool wake = queue.push(first, last, [this]() noexcept {
        if (!idle_.wants_waking()) return false;
        visitors_.fetch_add(1);
        return true;
    });
    if (!wake) return;
    idle_.notify_one();
    visitors_.fetch_sub(1);
}

void pool_core::submit_task(work_item* item) {
    observed_.task_posted(item);
    worker* const here = current_worker();
    if (here == nullptr) {
        submit(item);
        return;
    }
    here->push_task(item);
    idle_.notify_one();
}

void pool_core::submit_task(fifo_lane& lane, work_item* item) {
    observed_.task_posted(item);
    current_worker()->push_task(lane, item);
    idle_.notify_one();
}

void pool_core::submit_batch(priority level, work_queue& items) noexcept {
    work_item* const first = items.front();
    work_item* const last = items.back();
    if (first == nullptr) return;
    items.release();
    observed_.tasks_posted(first, last, level);
    if (level == priority::normal) return inject(first, last);
    note_levels();
    (level == priority::high ? levels_.high : levels_.low).submit_linked(first, last);
}

// A share may run as soon as it is linked, and with the last one the pool may go: this thread counts as a visitor.
void pool_core::submit_shares(work_queue& shares) noexcept {
    const visit present(*this);
    observed_.tasks_posted(shares.front(), shares.back());
    {
        const std::lock_guard lock(broadcasting_);
        for (unsigned index = 0; index < options_.threads; ++index) workers_[index]->push_share(shares.pop_front());
    }
    idle_.wake_all();
}

bool pool_core::arm(timer_node& node) {
    switch (timers_.arm(node)) {
        case timer_set::arm_result::refused:
            return false;
        case timer_set::arm_result::armed:
            return true;
        case timer_set::arm_result::armed_earliest:
            break;
    }
    // LIFETIME: the node may be gone already. The pool is not: the coroutine that armed it is on this pool, on this
    // thread.
    idle_.notify_deadline();
    return true;
}

std::size_t pool_core::expire_timers() noexcept {
    if (timers_.next_deadline() == timer_clock::time_point::max()) return 0;
    return timers_.expire(now());
}

bool pool_core::has_visible_work() const noexcept {
    if (!injector_.empty() || !levels_.empty()) return true;
    const std::size_t made = worker_count();
    for (std::size_t i = 0; i < made; ++i) {
        if (workers_[i]->has_work()) return true;
    }
    return false;
}

bool pool_core::has_nested_wait() const noexcept {
    const std::size_t made = worker_count();
    return std::any_of(workers_.begin(), workers_.begin() + made,
                       [](const auto& each) { return each->waits_inside_a_task(); });
}

bool pool_core::has_share() const noexcept {
    return std::any_of(workers_.begin(), workers_.begin() + options_.threads,
                       [](const auto& each) { return each->has_share(); });
}

void pool_core::demand_attention() noexcept {
    if (!has_forked()) return;
    bool all_knew = true;
    const std::size_t made = worker_count();
    for (std::size_t i = 0; i < made; ++i) {
        if (!workers_[i]->forks().demand_attention()) all_knew = false;
    }
    // Refused by a seccomp filter that came later. Every processor has emptied its store buffer after a millisecond,
    // and from now on no limit is raised any more.
    if (!all_knew && !process_wide_barrier()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void pool_core::try_terminate() noexcept {
    // Once the timers are closed, none is armed any more. Asked before, as whoever hands a timer over holds the timers'
    // lock, and takes that of the idle set.
    if (!timers_closed_.load() || !timers_.empty()) return;
    const bool over = idle_.all_asleep_and([this] {
        if (has_nested_wait()) return false;
        for (const auto& each : extensions_seen_) {
            pool_extension* const extension = each.load();
            if (extension != nullptr && !extension->quiet()) return false;
        }
        // Last: what an operation or a timer handed over is visible before it counts as ended.
        if (has_visible_work() || has_share()) return false;
        terminated_.store(true);
        return true;
    });
    if (over) idle_.wake_all();
}

pool_stats pool_core::stats() noexcept {
    pool_stats sum;
    sum.threads = idle_.workers();
    sum.queued = injector_.size() + levels_.size();
    const std::size_t made = worker_count();
    for (std::size_t i = 0; i < made; ++i) {
        worker& each = *workers_[i];
        const worker::counters& counters = each.statistics();
        // ORDER: relaxed; estimates, each written by one worker.
        sum.running += each.runs_past_gate(gate_.has_value()) ? 1 : 0;
        sum.executed += counters.executed.load(std::memory_order_relaxed);
        sum.stolen += counters.stolen.load(std::memory_order_relaxed);
        sum.parked += counters.parked.load(std::memory_order_relaxed);
        sum.queued += each.queued();
    }
    return sum;
}

void pool_core::unowned_exception(std::exception_ptr error) noexcept {
    if (!options_.on_exception) std::terminate();
    options_.on_exception(std::move(error));
}

}  // namespace coex::inline v0::detail
