#include <exec/io/signal_set.hpp>

#include <exec/base/exceptions.hpp>

#include <pthread.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <system_error>

namespace coex::inline v0 {
namespace {

sigset_t set_of(std::initializer_list<int> signals, const char* operation) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int each : signals) {
        if (::sigaddset(&set, each) == 0) continue;
        detail::throw_exception(std::system_error(
            errno, std::generic_category(), std::string(operation) + " (" + std::to_string(each) + " is no signal)"));
    }
    return set;
}

void block_all(const sigset_t& set) {
    // Fails only for an unknown first argument.
    static_cast<void>(::pthread_sigmask(SIG_BLOCK, &set, nullptr));
}

}  // namespace

void signal_set::block(std::initializer_list<int> signals) {
    block_all(set_of(signals, "signal_set::block"));
}

signal_set::signal_set(static_thread_pool& pool, std::initializer_list<int> signals) : pool_(&pool) {
    const sigset_t set = set_of(signals, "signal_set");
    block_all(set);
    descriptor_ = detail::owned_descriptor(::signalfd(-1, &set, SFD_CLOEXEC));
    if (descriptor_.get() < 0) detail::throw_exception(std::system_error(errno, std::generic_category(), "signal_set"));
}

namespace detail {

void signal_request::prepare(io_request& request) noexcept {
    static_assert(sizeof(signalfd_siginfo) == sizeof received_);
    request.opcode = io_opcode::read;
    request.descriptor = descriptor_;
    request.buffer = received_.data();
    request.length = received_.size();
    request.offset = static_cast<std::uint64_t>(-1);
}

result<int> signal_request::result(int answer) const {
    if (answer < 0) {
        return detail::failure{std::make_exception_ptr(std::system_error(
            -answer, std::generic_category(), "signal_set: next (descriptor " + std::to_string(descriptor_) + ")"))};
    }
    signalfd_siginfo information{};
    std::memcpy(&information, received_.data(), sizeof information);
    return static_cast<int>(information.ssi_signo);
}

}  // namespace detail
}  // namespace coex::inline v0
