#pragma once

#include <exec/io/file.hpp>
#include <exec/io/operation.hpp>
#include <exec/io/socket_operations.hpp>
#include <exec/vocab/result.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coex::inline v0 {

/// What a child process has as one of its standard streams.
enum class child_stream : unsigned char {
    inherit,  ///< what this process has
    null,     ///< /dev/null
    pipe      ///< a pipe, whose other end is a member of child_process
};

/// What to run, and how. All members have defaults but the command.
struct spawn_options {
    explicit spawn_options(std::vector<std::string> arguments) : command(std::move(arguments)) {}

    std::vector<std::string> command;  ///< the program, looked up in PATH, and its arguments
    child_stream input = child_stream::null;
    child_stream output = child_stream::inherit;
    child_stream error = child_stream::inherit;
};

/// How a process ended.
struct exit_status {
    int code = 0;    ///< what it returned, if no signal ended it
    int signal = 0;  ///< the signal that ended it, or 0
    [[nodiscard]] bool success() const noexcept { return code == 0 && signal == 0; }
};

class child_process;

namespace detail {

class child_wait_request {
public:
    explicit child_wait_request(child_process& which) noexcept : child_(&which) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<exit_status> result(int answer) const;

private:
    child_process* child_;
};

}  // namespace detail

/// A process that this one has started.
///
/// Thread-safe: no; but its streams may be used while it is awaited. `signal` from any thread until `wait` completes.
/// Lifetime:    it must outlive its operations, and its pool them. When it goes before the process was awaited, the
///              process is killed and its end waited for: nothing is left behind.
class child_process {
public:
    /// Starts a process. Its signals are all unblocked, and no descriptor but the standard ones is handed on that is
    /// closed on exec.
    ///
    /// Errors: std::system_error "spawn 'PROGRAM': REASON"; std::invalid_argument for an empty command.
    [[nodiscard]] static child_process spawn(static_thread_pool& pool, const spawn_options& options);

    child_process(child_process&& other) noexcept;
    child_process& operator=(child_process&& other) noexcept;
    ~child_process();

    /// Waits until the process has ended (pidfd). Once it has, gives the same status again.
    ///
    /// Cancel: by the stop token of the awaiting task; the process goes on.
    [[nodiscard]] auto wait() noexcept { return detail::io_sender(*pool_, detail::child_wait_request(*this)); }

    /// Sends a signal, such as SIGTERM; to the process that was started and no other. Does nothing when it has ended.
    void signal(int number) const;

    [[nodiscard]] int id() const noexcept { return id_; }
    /// The ends of the pipes that were asked for. Reset `input` to end what the process reads.
    std::optional<file> input;
    std::optional<file> output;
    std::optional<file> error;

private:
    friend class detail::child_wait_request;
    child_process(static_thread_pool& pool, std::string program) noexcept
        : pool_(&pool), program_(std::move(program)) {}
    void end() noexcept;

    static_thread_pool* pool_;
    std::string program_;
    int id_ = -1;
    detail::owned_descriptor process_;  // a pidfd
    std::optional<exit_status> status_;
};

/// A pipe: what is written to `second` is read from `first`, both with `file::own_position` as offset.
///
/// Errors: std::system_error "make_pipe: REASON".
[[nodiscard]] std::pair<file, file> make_pipe(static_thread_pool& pool);

}  // namespace coex::inline v0
