#include <exec/io/child_process.hpp>

#include <exec/base/exceptions.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>
#include <system_error>

namespace coex::inline v0 {
namespace {

using detail::owned_descriptor;

constexpr std::array stream_names = {"stdin", "stdout", "stderr"};

[[noreturn]] void throw_spawn_error(int error, const std::string& program) {
    detail::throw_exception(std::system_error(error, std::generic_category(), "spawn '" + program + "'"));
}

/// What the child is to find, as posix_spawn takes it. A call that fails has no memory.
class spawn_plan {
public:
    explicit spawn_plan(const std::string& program) : program_(program) {
        check(::posix_spawn_file_actions_init(&actions_));
        if (const int error = ::posix_spawnattr_init(&attributes_); error != 0) {
            ::posix_spawn_file_actions_destroy(&actions_);
            throw_spawn_error(error, program_);
        }
        // What this process blocks for a signal_set, or ignores for the sake of its sockets, is not the child's.
        sigset_t none;
        ::sigemptyset(&none);
        sigset_t ignored;
        ::sigemptyset(&ignored);
        ::sigaddset(&ignored, SIGPIPE);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &ignored);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    spawn_plan(const spawn_plan&) = delete;
    spawn_plan& operator=(const spawn_plan&) = delete;
    ~spawn_plan() {
        ::posix_spawnattr_destroy(&attributes_);
        ::posix_spawn_file_actions_destroy(&actions_);
    }

    void use_null(int stream) {
        check(::posix_spawn_file_actions_addopen(&actions_, stream, "/dev/null", stream == 0 ? O_RDONLY : O_WRONLY, 0));
    }
    void use(int descriptor, int stream) { check(::posix_spawn_file_actions_adddup2(&actions_, descriptor, stream)); }

    [[nodiscard]] pid_t start(const std::vector<std::string>& command) const {
        std::vector<char*> arguments;
        for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
        arguments.push_back(nullptr);
        pid_t id = -1;
        check(::posix_spawnp(&id, program_.c_str(), &actions_, &attributes_, arguments.data(), environ));
        return id;
    }

private:
    void check(int error) const {
        if (error != 0) throw_spawn_error(error, program_);
    }

    const std::string& program_;
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

/// A descriptor above the standard ones: those the child's are copied to, one by one.
owned_descriptor above_standard(int descriptor) {
    owned_descriptor given(descriptor);
    if (descriptor > 2) return given;
    owned_descriptor moved(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
    if (moved.get() < 0) detail::throw_exception(std::system_error(errno, std::generic_category(), "make_pipe"));
    return moved;
}

/// The reading end and the writing end.
std::array<owned_descriptor, 2> raw_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        detail::throw_exception(std::system_error(errno, std::generic_category(), "make_pipe"));
    owned_descriptor writing(ends[1]);
    std::array<owned_descriptor, 2> safe = {above_standard(ends[0]), owned_descriptor()};
    safe[1] = above_standard(writing.take());
    return safe;
}

exit_status meaning_of(const siginfo_t& information) noexcept {
    exit_status status;
    (information.si_code == CLD_EXITED ? status.code : status.signal) = information.si_status;
    return status;
}

constexpr auto wait_for_process = static_cast<idtype_t>(3);  // P_PIDFD, which glibc's header may lack

}  // namespace

child_process child_process::spawn(static_thread_pool& pool, const spawn_options& options) {
    if (options.command.empty())
        detail::throw_exception(std::invalid_argument("spawn: the command is empty; give at least a program"));
    child_process child(pool, options.command.front());
    spawn_plan plan(child.program_);
    const std::array kinds = {options.input, options.output, options.error};
    const std::array ours = {&child.input, &child.output, &child.error};
    std::array<owned_descriptor, 3> theirs;
    for (int stream = 0; stream < 3; ++stream) {
        const auto i = static_cast<std::size_t>(stream);
        if (kinds[i] == child_stream::null) plan.use_null(stream);
        if (kinds[i] != child_stream::pipe) continue;
        auto ends = raw_pipe();
        const std::size_t their_end = stream == 0 ? 0 : 1;
        theirs[i] = std::move(ends[their_end]);
        plan.use(theirs[i].get(), stream);
        ours[i]->emplace(pool, ends[1 - their_end].take(), child.program_ + " " + stream_names[i]);
    }
    child.id_ = plan.start(options.command);
    child.process_ = owned_descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.id_, 0)));
    if (child.process_.get() >= 0) return child;
    const int error = errno;
    ::kill(child.id_, SIGKILL);  // not reaped yet, so the number is still its own
    ::waitpid(child.id_, nullptr, 0);
    throw_spawn_error(error, child.program_);
}

child_process::child_process(child_process&& other) noexcept
    : input(std::move(other.input)),
      output(std::move(other.output)),
      error(std::move(other.error)),
      pool_(other.pool_),
      program_(std::move(other.program_)),
      id_(other.id_),
      process_(std::move(other.process_)),
      status_(other.status_) {}

child_process& child_process::operator=(child_process&& other) noexcept {
    if (this == &other) return *this;
    end();
    input = std::move(other.input);
    output = std::move(other.output);
    error = std::move(other.error);
    pool_ = other.pool_;
    program_ = std::move(other.program_);
    id_ = other.id_;
    process_ = owned_descriptor(other.process_.take());
    status_ = other.status_;
    return *this;
}

child_process::~child_process() {
    end();
}

void child_process::end() noexcept {
    if (process_.get() < 0 || status_) return;
    static_cast<void>(::syscall(SYS_pidfd_send_signal, process_.get(), SIGKILL, nullptr, 0));
    siginfo_t ignored{};
    while (::waitid(wait_for_process, static_cast<id_t>(process_.get()), &ignored, WEXITED) != 0 && errno == EINTR) {
    }
}

void child_process::signal(int number) const {
    if (::syscall(SYS_pidfd_send_signal, process_.get(), number, nullptr, 0) == 0 || errno == ESRCH) return;
    detail::throw_exception(
        std::system_error(errno, std::generic_category(),
                          "signal " + std::to_string(number) + " to '" + program_ + "' (" + std::to_string(id_) + ")"));
}

void detail::child_wait_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::poll;
    request.descriptor = child_->process_.get();
    request.flags = POLLIN;
}

result<exit_status> detail::child_wait_request::result(int answer) const {
    if (answer >= 0 && child_->status_) return *child_->status_;
    siginfo_t information{};
    int error = -answer;
    if (answer >= 0) {
        // Not waiting any more: the process has ended.
        const auto id = static_cast<id_t>(child_->process_.get());
        error = ::waitid(wait_for_process, id, &information, WEXITED | WNOHANG) == 0 ? 0 : errno;
    }
    if (error != 0) {
        return detail::failure{std::make_exception_ptr(
            std::system_error(error, std::generic_category(),
                              "wait for '" + child_->program_ + "' (" + std::to_string(child_->id_) + ")"))};
    }
    child_->status_ = meaning_of(information);
    return *child_->status_;
}

std::pair<file, file> make_pipe(static_thread_pool& pool) {
    auto ends = raw_pipe();
    return {file(pool, ends[0].take(), "pipe"), file(pool, ends[1].take(), "pipe")};
}

}  // namespace coex::inline v0
