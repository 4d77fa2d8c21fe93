// Copies a tree of files through the pools of the devices that it is read from and written to.
#include "walk.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace copy_tree {
namespace {

using namespace std::chrono_literals;

constexpr int exit_incomplete = 1;
constexpr int exit_usage = 2;
constexpr int exit_signal_base = 128;

void refuse_nonsense(const options& wanted) {
    const fs::path from = fs::weakly_canonical(wanted.source);
    const fs::path to = fs::weakly_canonical(wanted.target);
    if (fs::symlink_status(wanted.source).type() == fs::file_type::not_found) {
        throw std::invalid_argument("there is no '" + wanted.source.native() + "' to copy");
    }
    const auto [end, ignored] = std::mismatch(from.begin(), from.end(), to.begin(), to.end());
    if (end == from.end() && fs::is_directory(from)) {
        throw std::invalid_argument("'" + wanted.target.native() + "' lies in '" + wanted.source.native() +
                                    "', which cannot be copied into itself; choose a target outside of it");
    }
    if (from == to) throw std::invalid_argument("source and target are the same: '" + wanted.target.native() + "'");
}

void print_progress(const job& of) {
    std::fprintf(stderr, "\r\33[K%llu files, %.1f MB", static_cast<unsigned long long>(of.files.load()),
                 static_cast<double>(of.bytes.load()) / 1e6);
}

coex::task<void> show_progress(const job& of) {
    coex::interval often(200ms);
    for (;;) {
        co_await often.tick();
        print_progress(of);
    }
}

/// The first signal stops the copying; a second one, which comes when that takes too long, the process.
coex::task<void> watch_signals(coex::signal_set& signals, coex::inplace_stop_source& stop, std::atomic<int>& came) {
    came.store(co_await signals.next());
    stop.request_stop();
    ::_exit(exit_signal_base + co_await signals.next());
}

/// Work in the background: stopped and awaited in the end, also when an exception ends what it belongs to.
class background {
public:
    background() = default;
    background(const background&) = delete;
    background& operator=(const background&) = delete;
    ~background() {
        scope_.request_stop();
        join();
    }
    void join() { static_cast<void>(coex::sync_wait(scope_.join())); }
    [[nodiscard]] coex::counting_scope& scope() noexcept { return scope_; }

private:
    coex::counting_scope scope_;
};

struct forward_stop {
    coex::counting_scope* scope;
    void operator()() const noexcept { scope->request_stop(); }
};

bool copy(job& of, coex::inplace_stop_source& stop) {
    background copies;
    const coex::inplace_stop_callback<forward_stop> forward(stop.get_token(), forward_stop{&copies.scope()});
    const bool walked = coex::sync_wait(walk(of, copies.scope()), stop.get_token()).has_value();
    copies.join();
    return walked && coex::sync_wait(finish(of), stop.get_token()).has_value();
}

int run(const options& wanted) {
    refuse_nonsense(wanted);
    coex::signal_set::block({SIGINT, SIGTERM, SIGHUP});
    coex::resource_pools pools;
    coex::static_thread_pool watching{{.name = "watch", .threads = 1}};
    job copying(wanted, pools.for_path(wanted.source), pools.for_path(wanted.target));
    coex::inplace_stop_source stop;
    std::atomic<int> signal{0};
    coex::signal_set signals(watching, {SIGINT, SIGTERM, SIGHUP});
    bool complete = false;
    {
        background watchers;
        coex::spawn(coex::starts_on(watching.get_scheduler(), watch_signals(signals, stop, signal)),
                    watchers.scope().get_token());
        if (wanted.progress) {
            coex::spawn(coex::starts_on(watching.get_scheduler(), show_progress(copying)),
                        watchers.scope().get_token());
        }
        complete = copy(copying, stop);
    }
    if (wanted.progress) {
        print_progress(copying);
        std::fputc('\n', stderr);
    }
    if (signal.load() != 0) {
        std::fprintf(stderr, "copy_tree: ended by signal %d after %llu files; no half file is left\n", signal.load(),
                     static_cast<unsigned long long>(copying.files.load()));
        return exit_signal_base + signal.load();
    }
    return complete && copying.problems.load() == 0 ? 0 : exit_incomplete;
}

}  // namespace
}  // namespace copy_tree

int main(int argc, char** argv) {
    const copy_tree::options wanted = copy_tree::read_options(argc, argv);
    try {
        return copy_tree::run(wanted);
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "copy_tree: %s\n", error.what());
        return copy_tree::exit_usage;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "copy_tree: %s\n", error.what());
        return copy_tree::exit_incomplete;
    }
}
