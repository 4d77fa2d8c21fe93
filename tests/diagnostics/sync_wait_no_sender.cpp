// expect: this is neither a sender nor a task or operation of coex
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>

void mistake() {
    const auto make = []() -> coex::task<int> { co_return 1; };
    auto [value] = *coex::sync_wait(make);
}
