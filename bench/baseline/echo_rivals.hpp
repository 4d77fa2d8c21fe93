#pragma once

// Echo servers of other libraries, each in a file or a language of its own. Each accepts `connections` from the
// listening socket `listener`, which stays the caller's, and echoes in the calling thread until all of them have ended.
namespace coex_bench {

void echo_with_asio_on_io_uring(int listener, int connections);

}  // namespace coex_bench

extern "C" void coex_bench_echo_with_tokio(int listener, int connections);
