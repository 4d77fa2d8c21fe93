#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <source_location>
#include <utility>

namespace coex::inline v0::detail {

/// Where the work of a scope came from, as long as it lives. Kept in builds of coex without NDEBUG.
class scope_ledger;

/// What a counting scope consists of: how much work it has, who waits for its end, and what went wrong.
///
/// **The end** [J1]. One word holds the count of associations and the flags closed, joining, joined, used. It changes
/// by compare-exchange only, so exactly one thread makes the scope *joined*: the one that takes the last association
/// away while somebody is joining, or the joiner that finds none. After that no association begins: the count stays 0.
///
/// **The meeting of joiners and end** [J2]. Who made the scope joined then exchanges the list of joiners for an end
/// mark, and completes those that it found; this exchange is its last access to the scope. A joiner first makes sure
/// that the scope is joining (so somebody will make that exchange) or joined, and then either pushes itself before the
/// exchange, and is found by it; or it sees the mark and completes at once. After a push it touches neither the scope
/// nor itself. So each joiner completes once, and when one has completed, nobody is about to touch the scope: its owner
/// may destroy it.
///
/// Thread-safe: yes, all but the destructor.
class scope_state {
public:
    /// Somebody who waits for the end.
    struct joiner {
        using joined_function = void(joiner*) noexcept;

        constexpr explicit joiner(joined_function* function) noexcept : joined(function) {}
        joiner(const joiner&) = delete;
        joiner& operator=(const joiner&) = delete;

        joiner* next = nullptr;  // OWNER: the list
        joined_function* joined;

    protected:
        ~joiner() = default;
    };

    /// `name`: of the class, for messages.
    explicit scope_state(const char* name) noexcept : name_(name) {}
    scope_state(const scope_state&) = delete;
    scope_state& operator=(const scope_state&) = delete;
    /// Aborts when work was let in and the scope was not joined.
    ~scope_state();

    static constexpr std::size_t max_associations = static_cast<std::size_t>(-1) >> 4;

    /// False when the scope is closed or joined.
    [[nodiscard]] bool try_associate(const std::source_location& where) noexcept;
    /// LIFETIME: *this may be gone when this returns.
    void disassociate(const std::source_location& where) noexcept;

    void close() noexcept { state_.fetch_or(closed); }

    /// Keeps the first exception in time. By work that is associated.
    void fail(std::exception_ptr error) noexcept {
        if (!failed_.exchange(true)) error_ = std::move(error);
    }

    /// Returns true when the scope is joined. Otherwise `who.joined` will be called, or has been: LIFETIME: nothing
    /// may be touched.
    [[nodiscard]] bool join(joiner& who) noexcept;

    /// Once it is joined.
    [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }

private:
    static constexpr std::size_t closed = 1;
    static constexpr std::size_t joining = 2;
    static constexpr std::size_t joined = 4;
    static constexpr std::size_t used = 8;
    static constexpr std::size_t one = 16;

    void complete_joiners() noexcept;
    [[noreturn]] void fail_unjoined(std::size_t alive) const noexcept;

    std::atomic<std::size_t> state_{0};
    std::atomic<joiner*> joiners_{nullptr};  // the latest first; the end mark once the scope is joined
    std::atomic<bool> failed_{false};
    std::exception_ptr error_;  // written by who set failed_, read once joined [J1]
    const char* name_;
    std::atomic<scope_ledger*> ledger_{nullptr};  // made when needed; null: nothing is recorded
};

/// One piece of work in a scope.
class counted_association {
public:
    counted_association() noexcept = default;
    /// Takes over an association that `scope` has admitted.
    counted_association(scope_state* scope, const std::source_location& where) noexcept
        : scope_(scope), where_(where) {}
    counted_association(counted_association&& other) noexcept
        : scope_(std::exchange(other.scope_, nullptr)), where_(other.where_) {}
    counted_association& operator=(counted_association&& other) noexcept {
        counted_association(std::move(other)).swap(*this);
        return *this;
    }
    ~counted_association() {
        if (scope_ != nullptr) scope_->disassociate(where_);
    }

    void swap(counted_association& other) noexcept {
        std::swap(scope_, other.scope_);
        std::swap(where_, other.where_);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return scope_ != nullptr; }

    /// Another one with the same scope, if that still lets work in.
    [[nodiscard]] counted_association try_associate() const noexcept { return of(scope_, where_); }

    /// Tells the scope that work failed; `join()` will rethrow the first exception.
    void fail(std::exception_ptr error) const noexcept { scope_->fail(std::move(error)); }

    [[nodiscard]] static counted_association of(scope_state* scope, const std::source_location& where) noexcept {
        const bool admitted = scope != nullptr && scope->try_associate(where);
        return counted_association(admitted ? scope : nullptr, where);
    }

private:
    scope_state* scope_ = nullptr;
    std::source_location where_;
};

}  // namespace coex::inline v0::detail
