#include <exec/io/event_descriptor.hpp>

#include <exec/base/exceptions.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace coex::inline v0 {

event_descriptor::event_descriptor(static_thread_pool& pool) : pool_(&pool), descriptor_(::eventfd(0, EFD_CLOEXEC)) {
    if (descriptor_.get() < 0)
        detail::throw_exception(std::system_error(errno, std::generic_category(), "event_descriptor"));
}

void event_descriptor::notify(std::uint64_t count) const noexcept {
    const int kept = errno;
    while (::write(descriptor_.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
    errno = kept;
}

namespace detail {

void event_wait_request::prepare(io_request& request) noexcept {
    request.opcode = io_opcode::read;
    request.descriptor = descriptor_;
    request.buffer = &count_;
    request.length = sizeof count_;
    request.offset = static_cast<std::uint64_t>(-1);
}

result<std::uint64_t> event_wait_request::result(int answer) const {
    if (answer >= 0) return count_;
    return detail::failure{std::make_exception_ptr(std::system_error(
        -answer, std::generic_category(), "event_descriptor: wait (descriptor " + std::to_string(descriptor_) + ")"))};
}

}  // namespace detail
}  // namespace coex::inline v0
