#include <exec/io/socket_operations.hpp>

#include <exec/base/exceptions.hpp>
#include <exec/io/io_error.hpp>
#include <exec/io/socket.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <system_error>

namespace coex::inline v0::detail {
namespace {

std::string progress(std::size_t done, std::size_t of) {
    return std::to_string(done) + " of " + std::to_string(of) + " bytes done";
}

}  // namespace

owned_descriptor::~owned_descriptor() {
    if (value_ >= 0) ::close(value_);
}

void receive_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::receive;
    request.descriptor = socket_->native_handle();
    request.buffer = block_.data();
    request.length = block_.size();
    request.whole = whole_ && !block_.empty();
}

result<std::size_t> receive_request::result(int answer, const io_request& request) const {
    const int descriptor = request.descriptor;
    if (!whole_) {
        if (answer < 0) return socket_failure(answer, "read_some", describe_socket(descriptor));
        return static_cast<std::size_t>(answer);
    }
    if (answer < 0) {
        return socket_failure(answer, "read_exactly", describe_socket(descriptor),
                              progress(request.transferred, request.length));
    }
    if (request.transferred < request.length) {
        return failure{std::make_exception_ptr(
            std::system_error(io_errc::end_of_stream, "read_exactly " + describe_socket(descriptor) + " (" +
                                                          progress(request.transferred, request.length) + ")"))};
    }
    return request.transferred;
}

void send_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::send;
    request.descriptor = socket_->native_handle();
    request.buffer = const_cast<std::byte*>(block_.data());
    request.length = block_.size();
    request.whole = whole_ && !block_.empty();
}

result<std::size_t> send_request::result(int answer, const io_request& request) const {
    if (answer >= 0) return static_cast<std::size_t>(answer);
    return socket_failure(answer, whole_ ? "write_all" : "write_some", describe_socket(request.descriptor),
                          whole_ ? progress(request.transferred, request.length) : std::string());
}

void accept_base::prepare_accept(io_request& request) const noexcept {
    request.opcode = io_opcode::accept;
    request.descriptor = socket_->native_handle();
}

result<int> accept_base::accepted(int answer) const {
    if (answer < 0) return socket_failure(answer, "accept", describe_socket(socket_->native_handle()));
    return answer;
}

static_thread_pool& accept_base::pool() const noexcept {
    return socket_->pool();
}

void connect_base::prepare_connect(io_request& request) {
    descriptor_ = owned_descriptor(make_socket(to_, SOCK_STREAM, "connect"));
    request.opcode = io_opcode::connect;
    request.descriptor = descriptor_.get();
    request.buffer = to_.data();
    request.length = to_.size();
}

result<int> connect_base::connected(int answer) {
    if (answer < 0) return socket_failure(answer, "connect", to_.to_string());
    return descriptor_.take();
}

}  // namespace coex::inline v0::detail
