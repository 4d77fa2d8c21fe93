// expect: the cleanup completes with values, which nobody would get
#include <exec/algo/finally.hpp>
#include <exec/algo/just.hpp>
#include <exec/coro/sync_wait.hpp>

void mistake() {
    static_cast<void>(coex::sync_wait(coex::just() | coex::finally(coex::just(1))));
}
