// expect: must complete with one value, which tells whether that was the last time
#include <exec/algo/just.hpp>
#include <exec/algo/repeat_until.hpp>
#include <exec/coro/sync_wait.hpp>

void mistake() {
    static_cast<void>(coex::sync_wait(coex::repeat_until(coex::just())));
}
