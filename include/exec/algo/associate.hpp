#pragma once

#include <exec/algo/closure.hpp>
#include <exec/algo/one_of.hpp>
#include <exec/algo/scope_token.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/sender.hpp>

#include <concepts>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace coex::inline v0 {
namespace detail {

template <class Child, class Association, class Receiver>
class associate_operation {
    class child_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit child_receiver(Receiver& receiver) noexcept : receiver_(&receiver) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            coex::set_value(std::move(*receiver_), std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            coex::set_error(std::move(*receiver_), std::forward<Error>(error));
        }
        void set_stopped() && noexcept { coex::set_stopped(std::move(*receiver_)); }
        [[nodiscard]] auto get_env() const noexcept { return forward_env_of(*receiver_); }

    private:
        Receiver* receiver_;
    };
    using operation = connect_result_t<Child, child_receiver>;

public:
    using operation_state_concept = operation_state_tag;

    template <class Optional>
    associate_operation(Association association, Optional&& child, Receiver&& receiver)
        : association_(std::move(association)), receiver_(std::move(receiver)) {
        if (!association_) return;
        child_.template emplace_with<operation>(
            [&]() -> operation { return connect(static_cast<Child&&>(*child), child_receiver(receiver_)); });
    }
    associate_operation(const associate_operation&) = delete;
    associate_operation& operator=(const associate_operation&) = delete;

    void start() & noexcept {
        if (association_) {
            coex::start(child_.template get<operation>());
        } else {
            coex::set_stopped(std::move(receiver_));
        }
    }

private:
    Association association_;  // goes after the child
    [[no_unique_address]] Receiver receiver_;
    one_of<operation> child_;
};

template <class Child, class Association>
class associate_sender {
public:
    using sender_concept = sender_tag;

    template <class C>
    associate_sender(Association association, C&& child) : association_(std::move(association)) {
        if (association_) child_.emplace(std::forward<C>(child));
    }
    associate_sender(associate_sender&&) = default;
    associate_sender& operator=(associate_sender&&) = default;
    associate_sender(const associate_sender& other)
        requires std::copy_constructible<Child>
        : association_(other.association_.try_associate()) {
        if (association_) child_.emplace(*other.child_);
    }
    ~associate_sender() = default;

    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using child = decltype(coex::get_completion_signatures<child_of_t<Self, Child>, forwarded_t<Env>...>());
        return united_t<child, completion_signatures<set_stopped_t()>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return associate_operation<Child, Association, Receiver>(std::move(association_), std::move(child_),
                                                                 std::move(receiver));
    }
    template <receiver Receiver>
        requires std::copy_constructible<Child>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return associate_operation<const Child&, Association, Receiver>(association_.try_associate(), child_,
                                                                        std::move(receiver));
    }

private:
    Association association_;     // goes after the child
    std::optional<Child> child_;  // there when the scope let it in
};

}  // namespace detail

/// Puts a sender into a scope without starting it: the scope is not joined before the returned sender, or its
/// operation, is gone. A copy asks the scope anew. As C++26 `std::execution::associate`.
///
/// Completes: as `token.wrap(sender)` does; stopped when the scope was closed.
inline constexpr struct associate_t {
    template <sender Sender, scope_token Token>
    [[nodiscard]] auto operator()(Sender&& sender, Token token,
                                  std::source_location where = std::source_location::current()) const {
        using wrapped = std::remove_cvref_t<decltype(token.wrap(std::forward<Sender>(sender)))>;
        return detail::associate_sender<wrapped, detail::association_of<Token>>(
            detail::associate_at(token, where), token.wrap(std::forward<Sender>(sender)));
    }
    template <scope_token Token>
    [[nodiscard]] auto operator()(Token token) const {
        return detail::bind_adaptor(*this, std::move(token));
    }
} associate{};

}  // namespace coex::inline v0
