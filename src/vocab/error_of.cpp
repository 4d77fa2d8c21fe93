#include <exec/vocab/error_of.hpp>

#include "vocab/see_exception.hpp"

#include <new>
#include <stdexcept>

namespace coex::inline v0 {

std::error_code error_code_of(const std::exception_ptr& error) noexcept {
    if (error == nullptr) return {};
    std::error_code code = std::make_error_code(std::errc::state_not_recoverable);
    static_cast<void>(detail::see_exception(error, [&](const std::exception& held) {
        if (const auto* const system = dynamic_cast<const std::system_error*>(&held)) {
            code = system->code();
        } else if (dynamic_cast<const std::bad_alloc*>(&held) != nullptr) {
            code = std::make_error_code(std::errc::not_enough_memory);
        } else if (dynamic_cast<const std::invalid_argument*>(&held) != nullptr) {
            code = std::make_error_code(std::errc::invalid_argument);
        }
    }));
    return code;
}

std::string error_message_of(const std::exception_ptr& error) {
    std::string message;
    if (error == nullptr) return message;
    if (!detail::see_exception(error, [&](const std::exception& held) { message = held.what(); })) {
        message = "unknown exception";
    }
    return message;
}

#if !COEX_HAS_EXCEPTIONS
namespace detail {

void rethrow(std::exception_ptr error) {
    const std::string message = error_message_of(error);
    fail_without_exceptions(message.c_str());
}

}  // namespace detail
#endif

}  // namespace coex::inline v0
