// expect: must be callable as f(index, values&...)
#include <exec/algo/bulk.hpp>
#include <exec/algo/just.hpp>
#include <exec/coro/sync_wait.hpp>

void mistake() {
    static_cast<void>(coex::sync_wait(coex::just(1) | coex::bulk(coex::par, 10, [](int) {})));
}
