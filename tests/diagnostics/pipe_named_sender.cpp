// expect: and is given by its name; hand it over: std::move(sender) | ...
#include <exec/algo/just.hpp>
#include <exec/algo/then.hpp>
#include <exec/coro/task.hpp>

void mistake(coex::task<int> work) {
    auto next = work | coex::then([](int value) { return value + 1; });
}
