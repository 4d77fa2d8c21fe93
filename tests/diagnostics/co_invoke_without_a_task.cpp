// expect: the function must be a coroutine that returns a coex::task
#include <exec/coro/co_invoke.hpp>

void mistake() {
    static_cast<void>(coex::co_invoke([] { return 1; }));
}
