// expect: this coroutine's promise does not say what then happens
#include <exec/algo/just.hpp>
#include <exec/coro/as_awaitable.hpp>

#include <utility>

struct promise {};

void mistake(promise& own) {
    auto sender = coex::just(1);
    static_cast<void>(coex::as_awaitable(std::move(sender), own));
}
