// expect: starts_on takes a scheduler, and this is a place that has one; give starts_on(pool.get_scheduler(), ...)
#include <exec/algo/just.hpp>
#include <exec/algo/starts_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/pool/static_thread_pool.hpp>

void mistake(coex::static_thread_pool& pool) {
    static_cast<void>(coex::sync_wait(coex::starts_on(pool, coex::just())));
}
