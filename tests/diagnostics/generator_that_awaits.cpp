// expect: a generator runs inside its consumer's loop and cannot wait for anything
#include <exec/coro/generator.hpp>

#include <coroutine>

coex::generator<int> mistake() {
    co_await std::suspend_never();
    co_yield 1;
}
