// expect: cannot be called with what the sender before it sends
#include <exec/algo/just.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/sync_wait.hpp>

void mistake() {
    static_cast<void>(coex::sync_wait(coex::just(1) | coex::then([] { return 2; })));
}
