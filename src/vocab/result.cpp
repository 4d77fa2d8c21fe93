#include <exec/vocab/result.hpp>

#include <exec/base/exceptions.hpp>

namespace coex::inline v0 {

operation_stopped::operation_stopped(const char* what)
    : std::system_error(std::make_error_code(std::errc::operation_canceled), what) {}

operation_stopped::~operation_stopped() = default;

void detail::throw_result_stopped() {
    detail::throw_exception(operation_stopped("the work was stopped before it had a result"));
}

}  // namespace coex::inline v0
