// expect: stopped_as_optional needs a sender that completes with exactly one value
#include <exec/algo/just.hpp>
#include <exec/algo/stopped_as.hpp>
#include <exec/coro/sync_wait.hpp>

void mistake() {
    static_cast<void>(coex::sync_wait(coex::just() | coex::stopped_as_optional()));
}
