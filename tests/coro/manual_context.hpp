#pragma once

#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/task.hpp>
#include <exec/vocab/execution_context.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/timer.hpp>
#include <exec/vocab/work_item.hpp>

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace coex_test {

/// A place of one thread with a virtual clock: it runs its items, and lets time pass, when it is told to.
class manual_context final : public coex::execution_context, coex::timer_service {
public:
    enum class arming : unsigned char { works, is_refused, throws };

    void submit(coex::work_item* item) noexcept override { queue_.push_back(item); }
    [[nodiscard]] coex::timer_service& timers() noexcept override { return *this; }

    /// Runs all items, and those that they submit; returns how many.
    int run_all() {
        int count = 0;
        while (coex::work_item* item = queue_.pop_front()) {
            item->run(item);
            ++count;
        }
        return count;
    }
    void advance(coex::timer_clock::duration time) {
        now_ += time;
        while (!armed_.empty()) {
            const auto earliest = std::min_element(armed_.begin(), armed_.end(),
                                                   [](auto* a, auto* b) { return a->deadline < b->deadline; });
            if ((*earliest)->deadline > now_) return;
            coex::timer_node* const node = *earliest;
            armed_.erase(earliest);
            node->expired(node);
            run_all();
        }
    }
    void set_arming(arming how) noexcept { arming_ = how; }
    [[nodiscard]] std::size_t armed() const noexcept { return armed_.size(); }
    [[nodiscard]] coex::timer_clock::time_point now() noexcept override { return now_; }

private:
    [[nodiscard]] bool arm(coex::timer_node& node) override {
        if (arming_ == arming::throws) throw std::bad_alloc();
        if (arming_ == arming::is_refused || node.stopped) return false;
        armed_.push_back(&node);
        return true;
    }
    void cancel(coex::timer_node& node) noexcept override {
        node.stopped = true;
        const auto found = std::find(armed_.begin(), armed_.end(), &node);
        if (found == armed_.end()) return;
        armed_.erase(found);
        node.expired(&node);
    }

    coex::work_queue queue_;
    std::vector<coex::timer_node*> armed_;
    coex::timer_clock::time_point now_{};
    arming arming_ = arming::works;
};

/// Runs a task on a context without waiting for it.
template <class T>
class started : coex::detail::result_completion<T>, coex::detail::completion::waiter {
public:
    started(coex::task<T> work, coex::execution_context& context, coex::inplace_stop_token token = {})
        : coex::detail::result_completion<T>(static_cast<coex::detail::completion::waiter&>(*this)),
          coex::detail::completion::waiter(&started::on_ended),
          coroutine_(work.release()) {
        const auto ended = coroutine_.promise().start_inline(context, token, *this);
        ended_at_once = ended != coex::detail::outcome::none;
        if (ended_at_once && ended != coex::detail::outcome::stopped) coroutine_ = nullptr;  // its frame is gone
    }
    started(const started&) = delete;
    started& operator=(const started&) = delete;
    ~started() {
        if (coroutine_) coroutine_.destroy();
    }

    [[nodiscard]] bool has_ended() const noexcept { return ended_at_once || told == 1; }
    [[nodiscard]] coex::detail::outcome how() const noexcept { return this->known_ending(); }
    [[nodiscard]] T take() { return coex::detail::result_completion<T>::take(); }

    bool ended_at_once = false;
    int told = 0;  // how often a detached end was reported

private:
    static coex::coroutine_base* on_ended(coex::detail::completion* completed, coex::coroutine_base&,
                                          coex::detail::outcome how) noexcept {
        auto& self = *static_cast<started*>(completed);
        ++self.told;
        self.ending = how;
        if (how == coex::detail::outcome::stopped) std::exchange(self.coroutine_, nullptr).destroy();
        return nullptr;
    }

    std::coroutine_handle<coex::detail::task_promise<T>> coroutine_;
};

}  // namespace coex_test
