// A program that uses coex from outside: built against the installed library and as the owner of a subproject.
#include <exec/exec.hpp>

#include <array>
#include <cstddef>
#include <cstdio>
#include <optional>

static coex::task<int> answer(coex::static_thread_pool& pool) {
    co_await pool.schedule();
    co_return pool.this_thread_index() ? 42 : 0;
}

// What the library makes, the program awaits; their compilers may be different ones.
static coex::task<bool> hears_itself(coex::static_thread_pool& pool) {
    auto [here, there] = coex::unix_stream::pair(pool);
    const coex::receive_buffers buffers(4, 64);
    coex::incoming_blocks incoming(here, buffers);
    const std::array<std::byte, 3> sent{};
    co_await there.write_all(sent);
    const std::optional<coex::received_block> block = co_await incoming.next();
    co_return block && block->size() == sent.size();
}

int main() {
    coex::static_thread_pool pool{{.name = "consumer", .threads = 2}};
    const int value = coex::block_on(answer(pool));
    std::printf("coex %s: %d\n", COEX_VERSION, value);
    return value == 42 && coex::block_on(hears_itself(pool)) ? 0 : 1;
}
