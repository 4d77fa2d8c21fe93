// Included by the headers of each façade, stdexec_*.hpp and std_*.hpp: COEX_SENDER_LIBRARY is the façade's namespace,
// in which `library` names that of the other library's senders.

namespace coex::inline v0::interop::COEX_SENDER_LIBRARY {
namespace detail {

/// A receiver of the library for a coex sender.
template <class Receiver>
class coex_receiver {
public:
    using receiver_concept = receiver_tag;

    explicit coex_receiver(Receiver&& receiver) noexcept : receiver_(std::move(receiver)) {}
    template <class... Values>
    void set_value(Values&&... values) && noexcept {
        library::set_value(std::move(receiver_), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
        library::set_error(std::move(receiver_), std::forward<Error>(error));
    }
    void set_stopped() && noexcept { library::set_stopped(std::move(receiver_)); }
    [[nodiscard]] auto get_env() const noexcept {
        return coex_env<library::env_of_t<const Receiver&>>(library::get_env(receiver_));
    }

private:
    [[no_unique_address]] Receiver receiver_;
};

/// A coex receiver for the library's sender.
template <class Receiver>
class library_receiver {
public:
    using receiver_concept = library::receiver_tag;

    explicit library_receiver(Receiver&& receiver) noexcept : receiver_(std::move(receiver)) {}
    template <class... Values>
    void set_value(Values&&... values) noexcept {
        coex::set_value(std::move(receiver_), std::forward<Values>(values)...);
    }
    template <class Error>
    void set_error(Error&& error) noexcept {
        coex::set_error(std::move(receiver_), std::forward<Error>(error));
    }
    void set_stopped() noexcept { coex::set_stopped(std::move(receiver_)); }
    [[nodiscard]] auto get_env() const noexcept {
        return library_env<env_of_t<const Receiver&>>(coex::get_env(receiver_));
    }

private:
    [[no_unique_address]] Receiver receiver_;
};

/// What a coex sender tells about itself, as the library asks: where it completes, when that is on an execution
/// context.
template <class Attributes>
class library_attributes {
public:
    explicit library_attributes(Attributes attributes) noexcept : attributes_(std::forward<Attributes>(attributes)) {}

    template <class... Env>
        requires asks_for_context<get_completion_scheduler_t<set_value_t>, Attributes, coex_env<const Env&>...>
    [[nodiscard]] library_scheduler query(library::get_completion_scheduler_t<library::set_value_t>,
                                          const Env&... env) const noexcept {
        return library_scheduler(
            get_completion_scheduler<set_value_t>(attributes_, coex_env<const Env&>(env)...).context());
    }
    template <class... Env>
        requires asks_for_context<get_completion_scheduler_t<set_value_t>, Attributes, coex_env<const Env&>...>
    [[nodiscard]] library_domain query(library::get_completion_domain_t<library::set_value_t>,
                                       const Env&...) const noexcept {
        return {};
    }

private:
    [[no_unique_address]] Attributes attributes_;
};

/// The reverse.
template <class Attributes>
class coex_attributes {
public:
    explicit coex_attributes(Attributes attributes) noexcept : attributes_(std::forward<Attributes>(attributes)) {}

    template <class... Env>
        requires asks_for_ours<library::get_completion_scheduler_t<library::set_value_t>, Attributes,
                               library_env<const Env&>...>
    [[nodiscard]] context_scheduler query(get_completion_scheduler_t<set_value_t>, const Env&... env) const noexcept {
        return context_scheduler(
            library::get_completion_scheduler<library::set_value_t>(attributes_, library_env<const Env&>(env)...)
                .context());
    }

private:
    [[no_unique_address]] Attributes attributes_;
};

}  // namespace detail

/// A coex sender that the library takes for one of its own.
template <class Sender>
class library_sender {
public:
    using sender_concept = library::sender_tag;

    template <class S>
    explicit library_sender(std::in_place_t, S&& sender) : sender_(std::forward<S>(sender)) {}

    template <class Self, class... Env>
        requires sender_in<coex::detail::child_of_t<Self, Sender>, detail::coex_env<Env>...>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return detail::library_signatures_t<
            completion_signatures_of_t<coex::detail::child_of_t<Self, Sender>, detail::coex_env<Env>...>>{};
    }

    template <library::receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return operation<Sender, Receiver>(std::move(sender_), std::move(receiver));
    }
    template <library::receiver Receiver>
        requires std::copy_constructible<Sender>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return operation<const Sender&, Receiver>(sender_, std::move(receiver));
    }
    [[nodiscard]] auto get_env() const noexcept {
        return detail::library_attributes<env_of_t<const Sender&>>(coex::get_env(sender_));
    }

private:
    template <class S, class Receiver>
    class operation {
    public:
        using operation_state_concept = library::operation_state_tag;

        operation(S&& sender, Receiver&& receiver)
            : inner_(coex::connect(std::forward<S>(sender), detail::coex_receiver<Receiver>(std::move(receiver)))) {}
        operation(const operation&) = delete;
        operation& operator=(const operation&) = delete;
        void start() & noexcept { coex::start(inner_); }

    private:
        connect_result_t<S, detail::coex_receiver<Receiver>> inner_;
    };

    [[no_unique_address]] Sender sender_;
};

/// A sender of the library that coex takes for one of its own; `as_coex` makes it.
template <class Sender>
class coex_sender {
public:
    using sender_concept = sender_tag;

    template <class S>
    explicit coex_sender(std::in_place_t, S&& sender) : sender_(std::forward<S>(sender)) {}

    template <class Self, class... Env>
        requires library::sender_in<coex::detail::child_of_t<Self, Sender>, detail::library_env<Env>...>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        return detail::coex_signatures_t<
            library::completion_signatures_of_t<coex::detail::child_of_t<Self, Sender>, detail::library_env<Env>...>>{};
    }

    template <receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return operation<Sender, Receiver>(std::move(sender_), std::move(receiver));
    }
    template <receiver Receiver>
        requires std::copy_constructible<Sender>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return operation<const Sender&, Receiver>(sender_, std::move(receiver));
    }
    [[nodiscard]] auto get_env() const noexcept {
        return detail::coex_attributes<library::env_of_t<const Sender&>>(library::get_env(sender_));
    }

private:
    template <class S, class Receiver>
    class operation {
    public:
        using operation_state_concept = operation_state_tag;

        operation(S&& sender, Receiver&& receiver)
            : inner_(
                  library::connect(std::forward<S>(sender), detail::library_receiver<Receiver>(std::move(receiver)))) {}
        operation(const operation&) = delete;
        operation& operator=(const operation&) = delete;
        void start() & noexcept { library::start(inner_); }

    private:
        library::connect_result_t<S, detail::library_receiver<Receiver>> inner_;
    };

    [[no_unique_address]] Sender sender_;
};

/// Makes a coex sender (a task is one) usable in the library's pipelines, or a coex scheduler one of the library.
///
/// Values, errors and stops go through as they are. The environment does, as far as it means something to coex: stop
/// token, allocator, and `library_scheduler`s as coex's schedulers. A task must be started where one of those is, as by
/// the library's `starts_on` with a scheduler of a coex pool.
struct as_library_t {
    template <sender Sender>
    [[nodiscard]] auto operator()(Sender&& sender) const {
        return library_sender<std::remove_cvref_t<Sender>>(std::in_place, std::forward<Sender>(sender));
    }
    [[nodiscard]] library_scheduler operator()(const context_scheduler& scheduler) const noexcept {
        return library_scheduler(scheduler);
    }
};

namespace detail {

/// What says of itself that it is a sender of the library. Awaitables are senders there too, but of no library.
template <class Sender>
concept sender_of_library = library::sender<Sender> && requires {
    requires std::derived_from<typename Sender::sender_concept, library::sender_tag>;
};

}  // namespace detail
}  // namespace coex::inline v0::interop::COEX_SENDER_LIBRARY

namespace coex::inline v0::detail {

/// Lets a `coex::task` await senders of the library as they are, and `as_coex` take them.
template <class Sender>
    requires(interop::COEX_SENDER_LIBRARY::detail::sender_of_library<Sender> && !sender<Sender>)
struct sender_adaptor<Sender> {
    template <class S>
    [[nodiscard]] static interop::COEX_SENDER_LIBRARY::coex_sender<Sender> adapt(S&& foreign) {
        return interop::COEX_SENDER_LIBRARY::coex_sender<Sender>(std::in_place, std::forward<S>(foreign));
    }
};

}  // namespace coex::inline v0::detail
