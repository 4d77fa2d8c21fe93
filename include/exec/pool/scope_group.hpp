#pragma once

#include <exec/base/exceptions.hpp>
#include <exec/coro/task_result.hpp>
#include <exec/pool/end_latch.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// What the tasks of a scope, or of several scopes that end together, share: how many of them have not ended, and the
/// first exception. The body that opened the scope counts as a task.
///
/// Whoever adds a task is itself the body or a task, or holds one of them up, so the count cannot have reached zero.
///
/// Thread-safe: add, finish, fail. Lifetime: until the finish() that ends it, which wakes its owner, has told it.
class scope_group {
public:
    scope_group() = default;
    scope_group(const scope_group&) = delete;
    scope_group& operator=(const scope_group&) = delete;

    void add() noexcept { unfinished_.fetch_add(1); }

    /// LIFETIME: the group may be gone when this returns.
    void finish() noexcept {
        if (unfinished_.fetch_sub(1) == 1) ended_.end();
    }

    /// Keeps an exception if it is the first.
    void fail(std::exception_ptr error) noexcept {
        if (!failed_.exchange(true)) error_ = std::move(error);
    }

    /// Calls the body, waits for all tasks, and gives the body's result or throws the first exception.
    template <class Body>
    std::invoke_result_t<Body> run(Body&& body) {
        using result = std::invoke_result_t<Body>;
        if constexpr (std::is_void_v<result>) {
            COEX_TRY {
                static_cast<Body&&>(body)();
            }
            COEX_CATCH(...) {
                fail(std::current_exception());
            }
            close();
        } else {
            task_result<result> value;
            COEX_TRY {
                value.return_value(static_cast<Body&&>(body)());
            }
            COEX_CATCH(...) {
                fail(std::current_exception());
            }
            close();
            return value.take();
        }
    }

private:
    void close() {
        if (unfinished_.fetch_sub(1) != 1) ended_.wait();
        if (error_ != nullptr) detail::rethrow(std::move(error_));
    }

    std::atomic<std::size_t> unfinished_{1};  // the body
    std::atomic<bool> failed_{false};
    std::exception_ptr error_;  // OWNER: who set failed_; the body once all have finished
    end_latch ended_;
};

}  // namespace coex::inline v0::detail
