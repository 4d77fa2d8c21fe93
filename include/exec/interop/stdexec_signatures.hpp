#pragma once

#if __has_include(<stdexec/execution.hpp>)

#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/sender.hpp>

#include <stdexec/execution.hpp>

/// Completion signatures of one library in the vocabulary of the other.

namespace coex::inline v0::interop::detail {

template <class Signature>
struct coex_signature;
template <class... Values>
struct coex_signature<stdexec::set_value_t(Values...)> {
    using type = set_value_t(Values...);
};
template <class Error>
struct coex_signature<stdexec::set_error_t(Error)> {
    using type = set_error_t(Error);
};
template <>
struct coex_signature<stdexec::set_stopped_t()> {
    using type = set_stopped_t();
};

template <class Signature>
struct stdexec_signature;
template <class... Values>
struct stdexec_signature<set_value_t(Values...)> {
    using type = stdexec::set_value_t(Values...);
};
template <class Error>
struct stdexec_signature<set_error_t(Error)> {
    using type = stdexec::set_error_t(Error);
};
template <>
struct stdexec_signature<set_stopped_t()> {
    using type = stdexec::set_stopped_t();
};

template <class Signatures>
struct coex_signatures;
template <class... Signatures>
struct coex_signatures<stdexec::completion_signatures<Signatures...>> {
    using type = completion_signatures<typename coex_signature<Signatures>::type...>;
};
template <class Signatures>
using coex_signatures_t = typename coex_signatures<Signatures>::type;

template <class Signatures>
struct stdexec_signatures;
template <class... Signatures>
struct stdexec_signatures<completion_signatures<Signatures...>> {
    using type = stdexec::completion_signatures<typename stdexec_signature<Signatures>::type...>;
};
template <class Signatures>
using stdexec_signatures_t = typename stdexec_signatures<Signatures>::type;

}  // namespace coex::inline v0::interop::detail

#endif
