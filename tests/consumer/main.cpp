// A program that uses coex from outside: built against the installed library and as the owner of a subproject.
#include <exec/exec.hpp>

#include <cstdio>

static coex::task<int> answer(coex::static_thread_pool& pool) {
    co_await pool.schedule();
    co_return pool.this_thread_index() ? 42 : 0;
}

int main() {
    coex::static_thread_pool pool{{.name = "consumer", .threads = 2}};
    const int value = coex::block_on(answer(pool));
    std::printf("coex %s: %d\n", COEX_VERSION, value);
    return value == 42 ? 0 : 1;
}
