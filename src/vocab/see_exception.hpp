#pragma once

#include <exec/base/exceptions.hpp>

#include <exception>
#include <typeinfo>

namespace coex::inline v0::detail {

// see_exception(error, see) calls `see(exception)` if the object is a std::exception, and else returns false.
#if COEX_HAS_EXCEPTIONS

template <class See>
bool see_exception(const std::exception_ptr& error, See see) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& held) {
        see(held);
        return true;
    } catch (...) {
        return false;
    }
}

#elif defined(__GLIBCXX__)

// Without exceptions the object cannot be caught; but the C++ runtime, which was compiled with them, can tell what it
// is.
template <class See>
bool see_exception(const std::exception_ptr& error, See see) {
    static_assert(sizeof(std::exception_ptr) == sizeof(void*),
                  "an exception_ptr of libstdc++ is a pointer to the object");
    const std::type_info* const type = error.__cxa_exception_type();
    void* object = *reinterpret_cast<void* const*>(&error);
    if (type == nullptr || !typeid(std::exception).__do_catch(type, &object, 1)) return false;
    see(*static_cast<const std::exception*>(object));
    return true;
}

#else

template <class See>
bool see_exception(const std::exception_ptr&, See) {
    return false;
}

#endif

}  // namespace coex::inline v0::detail
