#pragma once

#include <exec/vocab/sender.hpp>

#include <concepts>
#include <type_traits>

namespace coex::inline v0::detail {

/// A sender that is given by its name where only its copy could be used, and that has no copies: a task, or one that
/// owns what only moves. For explaining that mistake.
template <class T>
concept named_once_sender =
    std::is_lvalue_reference_v<T> && std::derived_from<typename std::remove_cvref_t<T>::sender_concept, sender_tag> &&
    !sender<T>;

}  // namespace coex::inline v0::detail
