// expect: must return a sender, such as just(x) or a task; to return a plain value, use then
#include <exec/algo/just.hpp>
#include <exec/algo/let.hpp>
#include <exec/coro/sync_wait.hpp>

void mistake() {
    static_cast<void>(coex::sync_wait(coex::just(1) | coex::let_value([](int& x) { return x + 1; })));
}
