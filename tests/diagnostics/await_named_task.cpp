// expect: a named one with std::move: it is awaited once
#include <exec/coro/task.hpp>

coex::task<> mistake(coex::task<> other) {
    co_await other;
}
