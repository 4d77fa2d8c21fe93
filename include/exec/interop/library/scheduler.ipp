// Included by the headers of each façade, stdexec_*.hpp and std_*.hpp: COEX_SENDER_LIBRARY is the façade's namespace,
// in which `library` names that of the other library's senders.

namespace coex::inline v0::interop::COEX_SENDER_LIBRARY {

class library_scheduler;

namespace detail {

/// Takes the environment that queries of schedulers and their senders may be given, which doesn't matter here. No
/// template: g++ 12 loses the noexcept of those.
struct any_environment {
    constexpr any_environment() noexcept = default;
    template <class Env>
    constexpr any_environment(const Env&) noexcept {}
};

}  // namespace detail

/// Makes `bulk`, `bulk_chunked` and `bulk_unchunked` of the library run on all threads of the pool on which the work
/// before them completes, when their policy lets them.
struct library_domain : library::default_domain {
    template <library::sender Sender, class Env>
        requires detail::parallel_bulk<Sender> && requires(const Sender& sender, const Env& env) {
            { detail::completion_place(sender, env) } -> std::same_as<execution_context&>;
        }
    [[nodiscard]] constexpr auto transform_sender(library::set_value_t, Sender&& sender, const Env& env) const {
        return detail::bulk_on(detail::completion_place(sender, env), std::forward<Sender>(sender));
    }
};

/// A coex pool, or any other execution context, as a scheduler of the library.
///
/// `schedule` cannot fail and allocates nothing; its operation is the pool's work item. It completes with a value even
/// when stop was requested. `bulk` and its relatives, with `par` or `par_unseq`, run on all threads.
///
/// Thread-safe: yes.
/// Lifetime:    the pool must outlive the work that is scheduled on it.
class library_scheduler {
public:
    using scheduler_concept = library::scheduler_tag;

    explicit library_scheduler(execution_context& context) noexcept : context_(&context) {}
    explicit library_scheduler(context_scheduler scheduler) noexcept : context_(&scheduler.context()) {}

    class schedule_sender;
    [[nodiscard]] schedule_sender schedule() const noexcept;

    [[nodiscard]] static constexpr library::forward_progress_guarantee query(
        library::get_forward_progress_guarantee_t) noexcept {
        return library::forward_progress_guarantee::parallel;
    }
    [[nodiscard]] library_scheduler query(library::get_completion_scheduler_t<library::set_value_t>,
                                          detail::any_environment = {}) const noexcept {
        return *this;
    }
    [[nodiscard]] static constexpr library_domain query(library::get_completion_domain_t<library::set_value_t>,
                                                        detail::any_environment = {}) noexcept {
        return {};
    }
    [[nodiscard]] execution_context& context() const noexcept { return *context_; }
    friend bool operator==(const library_scheduler&, const library_scheduler&) noexcept = default;

private:
    execution_context* context_;
};

/// Completes on a thread of the pool.
class library_scheduler::schedule_sender {
public:
    using sender_concept = library::sender_tag;
    using completion_signatures = library::completion_signatures<library::set_value_t()>;

    explicit schedule_sender(execution_context& context) noexcept : context_(&context) {}

    /// Knows the scheduler: it completes nowhere else.
    class attributes {
    public:
        explicit attributes(execution_context& context) noexcept : context_(&context) {}
        [[nodiscard]] library_scheduler query(library::get_completion_scheduler_t<library::set_value_t>,
                                              detail::any_environment = {}) const noexcept {
            return library_scheduler(*context_);
        }
        [[nodiscard]] library_domain query(library::get_completion_domain_t<library::set_value_t>,
                                           detail::any_environment = {}) const noexcept {
            return {};
        }

    private:
        execution_context* context_;
    };

    template <class Receiver>
    class operation : work_item {
    public:
        using operation_state_concept = library::operation_state_tag;

        operation(execution_context& context, Receiver&& receiver) noexcept
            : work_item(&operation::complete), context_(&context), receiver_(std::move(receiver)) {}
        void start() & noexcept { context_->submit(this); }

    private:
        static void complete(work_item* item) noexcept {
            library::set_value(std::move(static_cast<operation*>(item)->receiver_));
        }

        execution_context* context_;
        [[no_unique_address]] Receiver receiver_;
    };

    template <library::receiver Receiver>
    [[nodiscard]] operation<Receiver> connect(Receiver receiver) const noexcept {
        return {*context_, std::move(receiver)};
    }
    [[nodiscard]] attributes get_env() const noexcept { return attributes(*context_); }

private:
    execution_context* context_;
};

inline library_scheduler::schedule_sender library_scheduler::schedule() const noexcept {
    return schedule_sender(*context_);
}

}  // namespace coex::inline v0::interop::COEX_SENDER_LIBRARY
