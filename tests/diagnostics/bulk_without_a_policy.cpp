// expect: the policy is missing, which says whether several threads may call the function at once
#include <exec/algo/bulk.hpp>
#include <exec/algo/just.hpp>
#include <exec/coro/sync_wait.hpp>

void mistake() {
    static_cast<void>(coex::sync_wait(coex::just() | coex::bulk(10, [](int) {})));
}
