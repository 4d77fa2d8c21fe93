// What suspended tasks cost in memory: the growth of the resident set, divided by their number. Each figure comes from
// a process of its own. Not a benchmark of time: it prints one line for each kind of wait.
#include "plain_main.hpp"
#include "resident.hpp"

#include <exec/exec.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace {

using coex_bench::resident_bytes;

constexpr std::size_t tasks = 1'000'000;

/// Starts tasks by hand, so that nothing but they themselves is counted: what is to be told of their ends lies in
/// memory that was resident before.
class starter : coex::detail::completion::waiter {
public:
    starter() : waiter(&starter::on_ended), ends_(tasks, end(*this)) {}

    void start(coex::task<> work, coex::inplace_stop_token token) {
        const auto coroutine = work.release();
        end& own = ends_[started_++];
        own.frame = coroutine;
        static_cast<void>(coroutine.promise().start_inline(loop_, token, own));
    }
    /// Runs what was resumed to its end. Returns how many tasks have ended.
    std::size_t finish() {
        loop_.finish();
        loop_.run();
        return ended_;
    }

private:
    struct end : coex::detail::completion {
        explicit end(starter& all) noexcept : completion(all), everything(&all) {}
        starter* everything;
        std::coroutine_handle<> frame;
    };

    static coex::coroutine_base* on_ended(coex::detail::completion* self, coex::coroutine_base&,
                                          coex::detail::outcome) noexcept {
        auto& own = *static_cast<end*>(self);
        own.frame.destroy();
        ++own.everything->ended_;
        return nullptr;
    }

    coex::run_loop loop_;
    std::vector<end> ends_;
    std::size_t started_ = 0;
    std::size_t ended_ = 0;
};

coex::task<> wait(coex::manual_reset_event& event) {
    co_await event;
}
coex::task<> wait_in_child(coex::manual_reset_event& event) {
    co_await wait(event);
}

coex::task<> sleep_long(coex::manual_reset_event&) {
    co_await coex::sleep_for(std::chrono::hours(1));
}

using make_task = coex::task<>(coex::manual_reset_event&);

/// Returns true when all went well.
bool measure(const char* name, make_task* make, coex::inplace_stop_token token) {
    // LIFETIME: goes with the process, as the tasks that sleep do.
    starter& all = *new starter;
    coex::manual_reset_event event;
    const std::size_t before = resident_bytes();
    for (std::size_t i = 0; i < tasks; ++i) all.start(make(event), token);
    const std::size_t after = resident_bytes();
    std::printf("%-58s %6.1f bytes a task\n", name, static_cast<double>(after - before) / static_cast<double>(tasks));
    if (make == &sleep_long) return true;
    event.set();
    return all.finish() == tasks;
}

bool measure_apart(const char* name, make_task* make, coex::inplace_stop_token token = {}) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        const bool good = measure(name, make, token);
        std::fflush(stdout);
        _exit(good ? 0 : 1);
    }
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

int main(int argc, char** argv) {
    coex_bench::go_on_if_asked_for(argc, argv, "memory", "the memory of suspended tasks; needs 0.5 GiB");
    coex::inplace_stop_source source;
    const bool good = measure_apart("task<void> that awaits a manual_reset_event", &wait) &&
                      measure_apart("the same, in a task that can be stopped", &wait, source.get_token()) &&
                      measure_apart("task<void> that sleeps, with its place among the timers", &sleep_long) &&
                      measure_apart("the same, in a task that can be stopped", &sleep_long, source.get_token()) &&
                      measure_apart("task<void> that awaits one that awaits a manual_reset_event", &wait_in_child);
    if (!good)
        std::fputs("memory_bench: a measurement failed, or not all tasks ended; is there enough memory?\n", stderr);
    return good ? 0 : 1;
}
