#pragma once

#include <atomic>
#include <concepts>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {

class inplace_stop_source;
template <class Callback>
class inplace_stop_callback;

namespace detail {

class stop_state;
class nested_stop_source;
class late_stop_callback;

/// A registered callback: a node of its source's list. Lives in the inplace_stop_callback that derives from it.
class stop_callback_base {
public:
    stop_callback_base(const stop_callback_base&) = delete;
    stop_callback_base& operator=(const stop_callback_base&) = delete;

protected:
    using invoke_function = void(stop_callback_base*) noexcept;

    explicit stop_callback_base(const stop_state* source, invoke_function* invoke) noexcept
        : source_(source), invoke_(invoke), next_(nullptr) {}
    ~stop_callback_base() = default;

    void attach() noexcept;
    void attached(bool added) noexcept;
    void detach() noexcept;

private:
    friend class stop_state;
    friend class nested_stop_source;
    friend class late_stop_callback;

    const stop_state* source_;
    invoke_function* invoke_;
    union {
        stop_callback_base* next_;  // while in the list; OWNER: the source's lock
        bool* destroyed_;           // afterwards; OWNER: the thread that runs request_stop()
    };
    stop_callback_base** previous_ = nullptr;  // OWNER: the source's lock; null when not in the list
    std::atomic<bool> finished_{false};        // written by the thread that runs request_stop()
};

}  // namespace detail

/// A view of an inplace_stop_source, as C++26 `std::inplace_stop_token`. A default-made token can never be stopped.
///
/// Thread-safe: yes.
/// Lifetime:    the source must outlive every use of the token.
class inplace_stop_token {
public:
    template <class Callback>
    using callback_type = inplace_stop_callback<Callback>;

    inplace_stop_token() noexcept = default;

    [[nodiscard]] bool stop_requested() const noexcept;
    [[nodiscard]] bool stop_possible() const noexcept { return source_ != nullptr; }
    friend bool operator==(const inplace_stop_token&, const inplace_stop_token&) noexcept = default;

private:
    friend class detail::stop_state;
    template <class Callback>
    friend class inplace_stop_callback;
    friend class detail::nested_stop_source;
    friend class detail::late_stop_callback;
    explicit inplace_stop_token(const detail::stop_state* source) noexcept : source_(source) {}

    const detail::stop_state* source_ = nullptr;
};

namespace detail {

/// What a source of stop requests consists of, but for its end.
class stop_state {
public:
    stop_state(const stop_state&) = delete;
    stop_state& operator=(const stop_state&) = delete;

    [[nodiscard]] inplace_stop_token get_token() const noexcept { return inplace_stop_token{this}; }
    [[nodiscard]] static constexpr bool stop_possible() noexcept { return true; }

    [[nodiscard]] bool stop_requested() const noexcept {
        for (const stop_state* each = this; each != nullptr; each = each->parent_) {
            // ORDER: acquire; pairs with the acq_rel update in request_stop() [T1]: who sees the request also sees what
            //   the requester did before it.
            if ((each->state_.load(std::memory_order_acquire) & requested) != 0) return true;
        }
        return false;
    }

    /// Runs every registered callback on the calling thread, and those registered later on their own threads.
    /// Returns false when stop had been requested before. A callback may destroy the source: what it stops may be what
    /// owns it.
    bool request_stop() noexcept;

protected:
    explicit stop_state(const stop_state* parent) noexcept : parent_(parent) {}
    ~stop_state() {}

    /// True when something of it was used: then its end is more than nothing.
    [[nodiscard]] bool was_used() const noexcept {
        // ORDER: relaxed; who used it did so before its owner destroys it.
        return state_.load(std::memory_order_relaxed) != 0;
    }
    void end() noexcept;

private:
    friend class stop_callback_base;
    friend class nested_stop_source;

    static constexpr unsigned locked = 1;
    static constexpr unsigned requested = 2;
    static constexpr unsigned used = 4;    // was locked once: list_ exists
    static constexpr unsigned linked = 8;  // only of a nested_stop_source

    void lock() const noexcept;
    void unlock() const noexcept;
    bool try_add(stop_callback_base& callback) const noexcept;
    bool try_add_here(stop_callback_base& callback) const noexcept;
    void remove(stop_callback_base& callback) const noexcept;

    mutable std::atomic<unsigned> state_{0};
    const stop_state* parent_;  // null, but of a nested_stop_source

    // Set by who locks the source first: most sources of short work are never used at all.
    struct list {
        stop_callback_base* callbacks = nullptr;  // OWNER: the lock bit of state_
        bool* destroyed = nullptr;                // OWNER: the thread in request_stop()
        const void* requester = nullptr;          // names the thread in request_stop(); OWNER: the lock bit of state_
    };
    union {
        mutable list list_;
    };
};

}  // namespace detail

/// Asks work to stop, without allocating: callbacks are linked through themselves. As C++26 `std::inplace_stop_source`.
///
/// Thread-safe: yes.
/// Lifetime:    must outlive its tokens and callbacks.
class inplace_stop_source : public detail::stop_state {
public:
    inplace_stop_source() noexcept : stop_state(nullptr) {}
    ~inplace_stop_source() {
        if (was_used()) [[unlikely]]
            end();
    }
};

namespace detail {

/// A source that is stopped with the source of another token, too. It is registered there only when somebody registers
/// a callback here: work that never waits for anything pays nothing for being cancellable.
///
/// Lifetime: of the token's source.
class nested_stop_source : public stop_state {
public:
    explicit nested_stop_source(inplace_stop_token parent) noexcept : stop_state(parent.source_) {}
    nested_stop_source(const nested_stop_source&) = delete;
    nested_stop_source& operator=(const nested_stop_source&) = delete;
    /// Before any use of the source.
    void set_parent(inplace_stop_token parent) noexcept { parent_ = parent.source_; }

    ~nested_stop_source() {
        if (was_used()) [[unlikely]]
            unlink_and_end();
    }

private:
    friend class stop_state;

    class forwarding final : public stop_callback_base {
    public:
        explicit forwarding(nested_stop_source& to) noexcept;

    private:
        nested_stop_source& to_;
    };

    /// Registers this source with its parent, and so on upwards, as far as that has not been done.
    void link() noexcept;
    void unlink_and_end() noexcept;

    union {
        forwarding forwarding_;  // exists while linked
    };
};

}  // namespace detail

inline bool inplace_stop_token::stop_requested() const noexcept {
    return source_ != nullptr && source_->stop_requested();
}

/// Calls `callback()` once stop is requested: on the requesting thread, or in the constructor when it had been already.
///
/// The destructor waits for a call in progress on another thread, so that afterwards nothing of the callback is in use.
/// The callback must not throw, and must not run other work while it waits for something (as `submission::get()` on a
/// worker does): what it then runs could end the very source that is calling it.
template <class Callback>
class inplace_stop_callback : detail::stop_callback_base {
public:
    template <class Initializer>
        requires std::constructible_from<Callback, Initializer>
    explicit inplace_stop_callback(inplace_stop_token token, Initializer&& initializer) noexcept(
        std::is_nothrow_constructible_v<Callback, Initializer>)
        : stop_callback_base(token.source_, &inplace_stop_callback::invoke),
          callback_(std::forward<Initializer>(initializer)) {
        attach();
    }
    ~inplace_stop_callback() { detach(); }

private:
    static void invoke(detail::stop_callback_base* base) noexcept {
        std::move(static_cast<inplace_stop_callback*>(base)->callback_)();
    }

    Callback callback_;
};

template <class Callback>
inplace_stop_callback(inplace_stop_token, Callback) -> inplace_stop_callback<Callback>;

namespace detail {

/// A callback that is registered some time after it was made, or never: what derives from it waits in the frames of
/// coroutines, of which there may be millions, and saves what std::optional and the callback's own pointer take.
class late_stop_callback : protected stop_callback_base {
protected:
    explicit late_stop_callback(invoke_function* invoke) noexcept : stop_callback_base(nullptr, invoke) {}
    ~late_stop_callback() { release(); }

    /// As the constructor of inplace_stop_callback. At most once.
    void register_at(inplace_stop_token token) noexcept {
        source_ = token.source_;
        attach();
    }
    /// As its destructor.
    void release() noexcept {
        detach();
        source_ = nullptr;
    }
};

}  // namespace detail

/// The callback type of a stop token.
template <class Token, class Callback>
using stop_callback_for_t = typename Token::template callback_type<Callback>;

namespace detail {

struct any_callback {
    void operator()() const noexcept {}
};

}  // namespace detail

/// A handle that tells whether stop was requested, as C++26 `std::stoppable_token`.
template <class Token>
concept stoppable_token = std::copyable<Token> && std::equality_comparable<Token> &&
                          std::is_nothrow_copy_constructible_v<Token> && requires(const Token token) {
                              typename stop_callback_for_t<Token, detail::any_callback>;
                              { token.stop_requested() } noexcept -> std::same_as<bool>;
                              { token.stop_possible() } noexcept -> std::same_as<bool>;
                          };

/// A token of which the compiler knows that it can never be stopped.
template <class Token>
concept unstoppable_token = stoppable_token<Token> && requires { requires !Token::stop_possible(); };

/// A token that nobody can stop, as C++26 `std::never_stop_token`.
class never_stop_token {
    struct ignore {
        explicit ignore(never_stop_token, auto&&) noexcept {}
    };

public:
    template <class>
    using callback_type = ignore;

    [[nodiscard]] static constexpr bool stop_requested() noexcept { return false; }
    [[nodiscard]] static constexpr bool stop_possible() noexcept { return false; }
    friend bool operator==(const never_stop_token&, const never_stop_token&) noexcept = default;
};

}  // namespace coex::inline v0
