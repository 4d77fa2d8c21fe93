// Awaits what fails without asking for a result: ends the program with the error's message. See expect_abort.py.
#include <exec/exec.hpp>

static coex::task<void> careless(coex::static_thread_pool& pool) {
    static_cast<void>(co_await coex::open_file(pool, "/nonexistent/file", coex::open_mode::read));
}

int main() {
    coex::static_thread_pool pool{{.threads = 1}};
    coex::block_on(careless(pool));
}
