// expect: this cannot be awaited in a coex::task
#include <exec/coro/task.hpp>

coex::task<> mistake() {
    co_await 5;
}
