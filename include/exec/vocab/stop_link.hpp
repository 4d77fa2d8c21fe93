#pragma once

#include <exec/vocab/stop_token.hpp>

#include <concepts>
#include <optional>
#include <utility>

namespace coex::inline v0::detail {

/// Passes a stop request on to a source.
class forward_stop_to {
public:
    explicit forward_stop_to(inplace_stop_source& source) noexcept : source_(&source) {}
    void operator()() const noexcept { source_->request_stop(); }

private:
    inplace_stop_source* source_;
};

/// A stop source of one's own that is also stopped by a token from outside, while linked.
///
/// Lifetime: unlink before the outer token's source may go.
template <class Token>
class linked_stop_source {
public:
    [[nodiscard]] inplace_stop_token get_token() const noexcept { return source_.get_token(); }
    [[nodiscard]] bool stop_requested() const noexcept { return source_.stop_requested(); }
    void request_stop() noexcept { source_.request_stop(); }

    /// From now on a stop of `outer` is one of this. Stops at once when `outer` was stopped already.
    void link(Token outer) noexcept {
        if constexpr (!unstoppable_token<Token>) link_.emplace(std::move(outer), forward_stop_to(source_));
    }
    /// After this no call from outside is in progress, and none will begin.
    void unlink() noexcept { link_.reset(); }

private:
    inplace_stop_source source_;
    std::optional<stop_callback_for_t<Token, forward_stop_to>> link_;
};

/// Any stop token as an inplace_stop_token, which is all that coroutines know.
template <class Token>
class stop_adapter : linked_stop_source<Token> {
public:
    [[nodiscard]] inplace_stop_token adapt(Token outer) noexcept {
        this->link(std::move(outer));
        return this->get_token();
    }
    void release() noexcept { this->unlink(); }
};

template <>
class stop_adapter<inplace_stop_token> {
public:
    [[nodiscard]] static inplace_stop_token adapt(inplace_stop_token token) noexcept { return token; }
    static void release() noexcept {}
};

template <unstoppable_token Token>
class stop_adapter<Token> {
public:
    [[nodiscard]] static inplace_stop_token adapt(Token) noexcept { return {}; }
    static void release() noexcept {}
};

}  // namespace coex::inline v0::detail
