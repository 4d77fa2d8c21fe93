// expect: this sender can be started once only
#include <exec/algo/retry.hpp>
#include <exec/coro/task.hpp>

coex::task<int> fetch() {
    co_return 1;
}

void mistake() {
    static_cast<void>(coex::retry(fetch(), 3));
}
