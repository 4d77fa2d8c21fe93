// expect: continues_on takes a scheduler, and this is a place that has one; give continues_on(pool.get_scheduler())
#include <exec/algo/continues_on.hpp>
#include <exec/algo/just.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/pool/static_thread_pool.hpp>

void mistake(coex::static_thread_pool& pool) {
    static_cast<void>(coex::sync_wait(coex::just() | coex::continues_on(pool)));
}
