#include <exec/io/poll.hpp>

#include <exec/base/exceptions.hpp>

#include <poll.h>

#include <string>
#include <system_error>

namespace coex::inline v0::detail {

static_assert(static_cast<unsigned>(poll_events::readable) == POLLIN);
static_assert(static_cast<unsigned>(poll_events::urgent) == POLLPRI);
static_assert(static_cast<unsigned>(poll_events::writable) == POLLOUT);
static_assert(static_cast<unsigned>(poll_events::error) == POLLERR);
static_assert(static_cast<unsigned>(poll_events::hang_up) == POLLHUP);
static_assert(static_cast<unsigned>(poll_events::peer_shut_down) == POLLRDHUP);

void poll_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::poll;
    request.descriptor = descriptor_;
    request.flags = static_cast<int>(events_);
}

result<poll_events> poll_request::result(int answer) const {
    if (answer < 0) {
        return detail::failure{std::make_exception_ptr(
            std::system_error(-answer, std::generic_category(), "poll descriptor " + std::to_string(descriptor_)))};
    }
    return static_cast<poll_events>(answer);
}

}  // namespace coex::inline v0::detail
