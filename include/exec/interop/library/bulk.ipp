// Included by the headers of each façade, stdexec_*.hpp and std_*.hpp: COEX_SENDER_LIBRARY is the façade's namespace,
// in which `library` names that of the other library's senders.

/// The library's bulk algorithms on the threads of an execution context.

namespace coex::inline v0::interop::COEX_SENDER_LIBRARY::detail {

/// The execution context on which `sender` completes with values.
template <class Sender, class Env>
[[nodiscard]] execution_context& completion_place(const Sender& sender, const Env& env) noexcept
    requires requires {
        {
            library::get_completion_scheduler<library::set_value_t>(library::get_env(sender), env).context()
        } -> std::same_as<execution_context&>;
    }
{
    return library::get_completion_scheduler<library::set_value_t>(library::get_env(sender), env).context();
}

/// True of a policy that allows several threads. The standard keeps the policy itself in the sender, stdexec one in a
/// wrapper.
template <class Kept>
inline constexpr bool allows_parallel =
    std::same_as<Kept, library::parallel_policy> || std::same_as<Kept, library::parallel_unsequenced_policy>;
template <template <class> class Wrapper, class Policy>
inline constexpr bool allows_parallel<Wrapper<Policy>> = allows_parallel<Policy>;

template <class Sender>
[[nodiscard]] constexpr auto policy_of(Sender& sender) noexcept {
    auto& [name, data, child] = sender;
    auto& [policy, shape, function] = data;
    return std::bool_constant<allows_parallel<std::remove_cvref_t<decltype(policy)>>>();
}

template <class Sender>
[[nodiscard]] consteval bool is_parallel_bulk() {
    using tag = library::tag_of_t<Sender>;
    if constexpr (std::same_as<tag, library::bulk_chunked_t> || std::same_as<tag, library::bulk_unchunked_t>) {
        return decltype(policy_of(std::declval<std::remove_reference_t<Sender>&>()))::value;
    } else {
        return false;
    }
}

/// `bulk_chunked` and `bulk_unchunked` (`bulk` becomes one of them) with a policy that allows several threads.
template <class Sender>
concept parallel_bulk = requires { typename library::tag_of_t<Sender>; } && is_parallel_bulk<Sender>();

/// Keeps the values of the child in the operation, then runs the chunks.
template <class Child, class Shape, class F, class Receiver>
class bulk_operation {
    class child_receiver {
    public:
        using receiver_concept = library::receiver_tag;

        explicit child_receiver(bulk_operation& operation) noexcept : operation_(&operation) {}
        template <class... Values>
        void set_value(Values&&... values) noexcept {
            operation_->run(std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) noexcept {
            library::set_error(std::move(operation_->receiver_), std::forward<Error>(error));
        }
        void set_stopped() noexcept { library::set_stopped(std::move(operation_->receiver_)); }
        [[nodiscard]] library::env_of_t<const Receiver&> get_env() const noexcept {
            return library::get_env(operation_->receiver_);
        }

    private:
        bulk_operation* operation_;
    };

public:
    using operation_state_concept = library::operation_state_tag;

    bulk_operation(execution_context& context, Child&& child, Shape shape, bool one_by_one, F&& function,
                   Receiver&& receiver)
        : context_(&context),
          shape_(shape),
          one_by_one_(one_by_one),
          function_(std::move(function)),
          receiver_(std::move(receiver)),
          child_(library::connect(std::forward<Child>(child), child_receiver(*this))) {}
    bulk_operation(const bulk_operation&) = delete;
    bulk_operation& operator=(const bulk_operation&) = delete;

    void start() & noexcept { library::start(child_); }

private:
    using signatures = coex_signatures_t<library::completion_signatures_of_t<Child, library::env_of_t<child_receiver>>>;

    template <class... Values>
    void run(Values&&... values) noexcept {
        using chunks = coex::detail::bulk_chunks<Shape, F, Receiver, std::decay_t<Values>...>;
        if constexpr ((std::is_nothrow_constructible_v<std::decay_t<Values>, Values> && ...)) {
            make<chunks>(std::forward<Values>(values)...).start(*context_);
        } else {
            chunks* made = nullptr;
            COEX_TRY {
                made = &make<chunks>(std::forward<Values>(values)...);
            }
            COEX_CATCH(...) {
                library::set_error(std::move(receiver_), std::current_exception());
                return;
            }
            made->start(*context_);
        }
    }
    template <class Chunks, class... Values>
    Chunks& make(Values&&... values) {
        return chunks_.template emplace<Chunks>(*context_, one_by_one_, shape_, function_, receiver_,
                                                std::forward<Values>(values)...);
    }

    execution_context* context_;
    Shape shape_;
    bool one_by_one_;
    [[no_unique_address]] F function_;
    [[no_unique_address]] Receiver receiver_;
    typename coex::detail::bulk_room<signatures, Shape, F, Receiver>::type chunks_;
    library::connect_result_t<Child, child_receiver> child_;
};

template <class Child, class Shape, class F>
class bulk_sender {
public:
    using sender_concept = library::sender_tag;

    template <class C>
    bulk_sender(execution_context& context, C&& child, Shape shape, bool one_by_one, F function)
        : context_(&context),
          child_(std::forward<C>(child)),
          shape_(shape),
          one_by_one_(one_by_one),
          function_(std::move(function)) {}

    template <class Self, class... Env>
    [[nodiscard]] static consteval auto get_completion_signatures() {
        using child = coex::detail::child_of_t<Self, Child>;
        return library_signatures_t<
            coex::detail::mapped_t<coex_signatures_t<library::completion_signatures_of_t<child, Env...>>,
                                   coex::detail::bulk_map<F, Shape, true>>>{};
    }

    template <library::receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) && {
        return bulk_operation<Child, Shape, F, Receiver>(*context_, std::move(child_), shape_, one_by_one_,
                                                         std::move(function_), std::move(receiver));
    }
    template <library::receiver Receiver>
    [[nodiscard]] auto connect(Receiver receiver) const& {
        return bulk_operation<const Child&, Shape, F, Receiver>(*context_, child_, shape_, one_by_one_, F(function_),
                                                                std::move(receiver));
    }
    [[nodiscard]] decltype(auto) get_env() const noexcept { return library::get_env(child_); }

private:
    execution_context* context_;
    [[no_unique_address]] Child child_;
    Shape shape_;
    bool one_by_one_;
    [[no_unique_address]] F function_;
};

/// What a bulk of the library becomes on an execution context.
template <class Sender>
[[nodiscard]] auto bulk_on(execution_context& context, Sender&& sender) {
    constexpr bool chunked = std::same_as<library::tag_of_t<Sender>, library::bulk_chunked_t>;
    auto& [name, data, child] = sender;
    auto& [policy, shape, function] = data;
    using child_type = std::remove_cvref_t<decltype(child)>;
    using shape_type = std::remove_cvref_t<decltype(shape)>;
    using function_type = std::remove_cvref_t<decltype(function)>;
    constexpr bool keeps = std::is_lvalue_reference_v<Sender>;
    using kept_child = std::conditional_t<keeps, const child_type&, child_type&&>;
    using kept_function = std::conditional_t<keeps, const function_type&, function_type&&>;
    if constexpr (chunked) {
        return bulk_sender<child_type, shape_type, function_type>(context, static_cast<kept_child>(child), shape, false,
                                                                  static_cast<kept_function>(function));
    } else {
        using each = coex::detail::each_index<function_type>;
        return bulk_sender<child_type, shape_type, each>(context, static_cast<kept_child>(child), shape, true,
                                                         each(std::in_place, static_cast<kept_function>(function)));
    }
}

}  // namespace coex::inline v0::interop::COEX_SENDER_LIBRARY::detail
