// expect: It gets lvalues, which live until the sender that it returns has completed: take them by & or by value
#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/coro/sync_wait.hpp>

void mistake() {
    static_cast<void>(coex::sync_wait(coex::just(1) | coex::let_value([](int&& x) { return coex::just(x); })));
}
