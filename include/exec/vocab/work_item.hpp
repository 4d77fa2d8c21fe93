#pragma once

namespace coex::inline v0 {

/// All that a scheduler ever sees of the work it runs: a link and a function.
///
/// The owner derives from it, and keeps it in a coroutine frame, on a stack or in a recycled block. From the moment it
/// is submitted until `run` is called it belongs to the execution context that took it; `run` may destroy it.
///
/// Lifetime: must stay where it is while submitted.
struct work_item {
    using run_function = void(work_item*) noexcept;

    explicit work_item(run_function* function) noexcept : run(function) {}
    work_item(const work_item&) = delete;
    work_item& operator=(const work_item&) = delete;

    work_item* next;  // OWNER: the queue that holds the item; unset until one does
    run_function* run;

protected:
    /// For those that set `run` when they submit themselves.
    work_item() noexcept {}
    ~work_item() = default;
};

/// A first-in, first-out list of work items, linked through the items themselves.
///
/// Thread-safe: no.
class work_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }

    void push_back(work_item* item) noexcept {
        item->next = nullptr;
        if (tail_ == nullptr) {
            head_ = item;
        } else {
            tail_->next = item;
        }
        tail_ = item;
    }

    [[nodiscard]] work_item* pop_front() noexcept {
        work_item* item = head_;
        if (item == nullptr) return nullptr;
        head_ = item->next;
        if (head_ == nullptr) tail_ = nullptr;
        return item;
    }

    [[nodiscard]] work_item* front() const noexcept { return head_; }
    [[nodiscard]] work_item* back() const noexcept { return tail_; }

    /// Gives up the items, which stay linked.
    void release() noexcept { head_ = tail_ = nullptr; }

    /// Moves everything of `other` behind what is here.
    void append(work_queue& other) noexcept {
        if (other.empty()) return;
        if (tail_ == nullptr) {
            head_ = other.head_;
        } else {
            tail_->next = other.head_;
        }
        tail_ = other.tail_;
        other.head_ = other.tail_ = nullptr;
    }

private:
    work_item* head_ = nullptr;
    work_item* tail_ = nullptr;
};

}  // namespace coex::inline v0
