#pragma once

#include <exec/vocab/stop_token.hpp>

#include <atomic>
#include <utility>

namespace coex::inline v0::detail {

/// What spawned work and the future of its result share. Each owns half of it, and who lets go last destroys it.
///
/// **The meeting** [K1]. `phase_` begins as `running`. The work's end exchanges `done` into it, after keeping the
/// result. The consumer, once started, turns `running` into `waiting`, after which it touches nothing. A stop request
/// of its receiver turns `waiting` into `gone`, or `running` into `cancelled`, which the starting consumer then finds,
/// and turns into `gone` itself. So exactly one of these completes the consumer: the work's end that finds `waiting`;
/// the request that turns `waiting` into `gone`; the start that finds `done`, or turns `cancelled` into `gone`. A
/// result that comes after `gone` is dropped with the state.
///
/// Before it completes, the consumer ends its stop callback, which waits for one in progress on another thread: that
/// one has lost, and needs of the state only the stop source, which the consumer's half keeps alive.
class future_state {
public:
    /// Who waits for the result.
    struct consumer {
        using ended_function = void(consumer*) noexcept;
        explicit consumer(ended_function* function) noexcept : ended(function) {}
        ended_function* ended;
    };
    enum class consumed : unsigned char { waits, ended, cancelled };

    future_state(const future_state&) = delete;
    future_state& operator=(const future_state&) = delete;

    // --- for the work ---------------------------------------------------------------------------------------------

    [[nodiscard]] inplace_stop_token stop_token() const noexcept { return source_.get_token(); }
    /// The result was kept. LIFETIME: *this may be gone when this returns.
    void work_ended() noexcept;

    // --- for the future -------------------------------------------------------------------------------------------

    /// Gives the result to `who`: later, or the caller does it (or completes as stopped) at once.
    [[nodiscard]] consumed consume(consumer& who) noexcept;
    /// Stops the work. Returns true when the caller shall complete the consumer as stopped.
    [[nodiscard]] bool cancel() noexcept;
    /// Stops the work, if it is running, and lets go. LIFETIME: *this may be gone when this returns.
    void abandon() noexcept;

protected:
    using destroy_function = void(future_state*) noexcept;

    explicit future_state(destroy_function* destroy) noexcept : destroy_(destroy) {}
    ~future_state() = default;

private:
    enum class phase : unsigned char { running, waiting, cancelled, gone, done };

    void release() noexcept {
        if (owners_.fetch_sub(1) == 1) destroy_(this);
    }

    inplace_stop_source source_;
    destroy_function* destroy_;
    consumer* consumer_ = nullptr;  // set before phase_ becomes waiting
    std::atomic<phase> phase_{phase::running};
    std::atomic<int> owners_{2};
};

/// The future's half.
template <class State>
class future_handle {
public:
    explicit future_handle(State* state) noexcept : state_(state) {}
    future_handle(future_handle&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    future_handle& operator=(future_handle&& other) noexcept {
        future_handle(std::move(other)).swap(*this);
        return *this;
    }
    ~future_handle() {
        if (state_ != nullptr) state_->abandon();
    }
    void swap(future_handle& other) noexcept { std::swap(state_, other.state_); }
    [[nodiscard]] State* operator->() const noexcept { return state_; }

private:
    State* state_;
};

}  // namespace coex::inline v0::detail
