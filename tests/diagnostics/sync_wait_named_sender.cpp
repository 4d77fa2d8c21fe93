// expect: and is given by its name; hand it over by sync_wait(std::move(sender))
#include <exec/algo/just.hpp>
#include <exec/coro/sync_wait.hpp>

#include <memory>

void mistake() {
    auto work = coex::just(std::make_unique<int>(1));
    auto [value] = *coex::sync_wait(work);
}
