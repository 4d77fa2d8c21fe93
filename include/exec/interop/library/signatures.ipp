// Included by the headers of each façade, stdexec_*.hpp and std_*.hpp: COEX_SENDER_LIBRARY is the façade's namespace,
// in which `library` names that of the other library's senders.

/// Completion signatures of one library in the vocabulary of the other.

namespace coex::inline v0::interop::COEX_SENDER_LIBRARY::detail {

template <class Signature>
struct coex_signature;
template <class... Values>
struct coex_signature<library::set_value_t(Values...)> {
    using type = set_value_t(Values...);
};
template <class Error>
struct coex_signature<library::set_error_t(Error)> {
    using type = set_error_t(Error);
};
template <>
struct coex_signature<library::set_stopped_t()> {
    using type = set_stopped_t();
};

template <class Signature>
struct library_signature;
template <class... Values>
struct library_signature<set_value_t(Values...)> {
    using type = library::set_value_t(Values...);
};
template <class Error>
struct library_signature<set_error_t(Error)> {
    using type = library::set_error_t(Error);
};
template <>
struct library_signature<set_stopped_t()> {
    using type = library::set_stopped_t();
};

template <class Signatures>
struct coex_signatures;
template <class... Signatures>
struct coex_signatures<library::completion_signatures<Signatures...>> {
    using type = completion_signatures<typename coex_signature<Signatures>::type...>;
};
template <class Signatures>
using coex_signatures_t = typename coex_signatures<Signatures>::type;

template <class Signatures>
struct library_signatures;
template <class... Signatures>
struct library_signatures<completion_signatures<Signatures...>> {
    using type = library::completion_signatures<typename library_signature<Signatures>::type...>;
};
template <class Signatures>
using library_signatures_t = typename library_signatures<Signatures>::type;

}  // namespace coex::inline v0::interop::COEX_SENDER_LIBRARY::detail
