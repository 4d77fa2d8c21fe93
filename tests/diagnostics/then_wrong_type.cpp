// expect: cannot be called with what the sender before it sends
#include <exec/algo/just.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/task.hpp>
#include <exec/pool/static_thread_pool.hpp>

coex::task<> mistake(coex::static_thread_pool& pool) {
    auto work = coex::schedule(pool.get_scheduler()) | coex::then([] { return 1; }) | coex::then([](const char*) {});
    co_await std::move(work);
}
