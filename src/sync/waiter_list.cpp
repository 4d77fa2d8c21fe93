#include <exec/sync/waiter_list.hpp>

#include <exec/coro/coroutine_base.hpp>

namespace coex::inline v0::detail {

void waiter_list::tell_coroutine(work_item* waiter) noexcept {
    static_cast<coroutine_base*>(waiter)->resume_later();
}

work_item& waiter_list::as_waiter(coroutine_base& coroutine) noexcept {
    coroutine.run = &waiter_list::tell_coroutine;
    return coroutine;
}

leaving_waiter* waiter_list::as_leaving(work_item* waiter) noexcept {
    if (waiter == nullptr || waiter->run == &waiter_list::tell_coroutine) return nullptr;
    return static_cast<leaving_waiter*>(waiter);
}

bool waiter_list::try_push_back(work_item& waiter) noexcept {
    if (leaving_waiter* const leaving = as_leaving(&waiter)) {
        if (leaving->round_ == leaving_waiter::left) return false;
        leaving->previous_ = last_;
        leaving->round_ = round_;
    }
    waiter.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &waiter;
    last_ = &waiter;
    return true;
}

work_item* waiter_list::pop_front() noexcept {
    work_item* const waiter = first_;
    if (waiter == nullptr) return nullptr;
    first_ = waiter->next;
    if (first_ == nullptr) last_ = nullptr;
    if (leaving_waiter* const following = as_leaving(first_)) following->previous_ = nullptr;
    if (leaving_waiter* const leaving = as_leaving(waiter)) leaving->round_ = leaving_waiter::outside;
    return waiter;
}

work_item* waiter_list::take_all() noexcept {
    work_item* const all = first_;
    first_ = last_ = nullptr;
    ++round_;
    return all;
}

bool waiter_list::remove(leaving_waiter& waiter) noexcept {
    const bool listed = waiter.round_ == round_;
    waiter.round_ = leaving_waiter::left;
    if (!listed) return false;
    (waiter.previous_ == nullptr ? first_ : waiter.previous_->next) = waiter.next;
    if (waiter.next == nullptr) {
        last_ = waiter.previous_;
    } else if (leaving_waiter* const following = as_leaving(waiter.next)) {
        following->previous_ = waiter.previous_;
    }
    return true;
}

void waiter_list::tell_all(work_item* first) noexcept {
    while (first != nullptr) {
        work_item* const told = first;
        first = told->next;
        told->run(told);
    }
}

}  // namespace coex::inline v0::detail
