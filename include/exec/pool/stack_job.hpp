#pragma once

#include <exec/base/config.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/base/object.hpp>
#include <exec/coro/task_result.hpp>
#include <exec/pool/end_latch.hpp>
#include <exec/vocab/work_item.hpp>

#include <new>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// A call that somebody else may make, for an owner that waits on its stack for the result.
///
/// Small temporaries without a destructor are copied, so that the owner's own stays in registers; all else is referred
/// to.
template <class Function>
class stack_job final : public work_item {
public:
    using result = std::invoke_result_t<Function>;

    /// Whether the job holds the function, not a reference to it.
    static constexpr bool copies = [] {
        if constexpr (std::is_reference_v<Function>) {
            return false;  // also because a plain function has no size
        } else {
            return std::is_trivially_copyable_v<Function> && std::is_copy_constructible_v<Function> &&
                   sizeof(Function) <= 4 * sizeof(void*);
        }
    }();

    explicit stack_job(Function& function) noexcept : work_item(&stack_job::execute), function_(held(function)) {}
    ~stack_job() {}  // result_ exists from execute() to the end of take() or drop()

    /// Makes the call here, instead of somebody else.
    COEX_ALWAYS_INLINE result call() { return callable()(); }

    /// Waits for the call and gives its result, or throws its exception. Not inlined: g++ 12 would warn that nobody
    /// initialises the result.
    COEX_NOINLINE result take() {
        const ended_result ended(*this);
        return ended.value.take();
    }

    /// Waits for the call and drops what it gave.
    COEX_NOINLINE void drop() noexcept { const ended_result ended(*this); }

private:
    using stored = std::conditional_t<copies, Function, std::remove_reference_t<Function>*>;

    struct ended_result {
        explicit ended_result(stack_job& job) noexcept : value((job.latch_.wait(), job.result_)) {}
        ended_result(const ended_result&) = delete;
        ended_result& operator=(const ended_result&) = delete;
        ~ended_result() { detail::destroy(&value); }
        task_result<result>& value;
    };

    static stored held(Function& function) noexcept {
        if constexpr (copies) {
            return function;
        } else {
            return detail::address_of(function);
        }
    }
    Function&& callable() noexcept {
        if constexpr (copies) {
            return std::move(function_);
        } else {
            return static_cast<Function&&>(*function_);
        }
    }

    static void execute(work_item* item) noexcept {
        auto& self = *static_cast<stack_job*>(item);
        ::new (static_cast<void*>(&self.result_)) task_result<result>();
        COEX_TRY {
            if constexpr (std::is_void_v<result>) {
                self.callable()();
            } else {
                self.result_.return_value(self.callable()());
            }
        }
        COEX_CATCH(...) {
            self.result_.unhandled_exception();
        }
        self.latch_.end();
        // LIFETIME: the owner may have gone on, and the job be gone.
    }

    end_latch latch_;
    stored function_;
    union {
        task_result<result> result_;
    };
};

}  // namespace coex::inline v0::detail
