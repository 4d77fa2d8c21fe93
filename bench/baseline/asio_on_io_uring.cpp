// asio's io_uring backend. Which backend asio has is settled when it is compiled, and all its types have the same names
// with either: so that both can be in one program, this file is compiled with `asio` defined as another name (see
// meson.build).
#if !defined(ASIO_HAS_IO_URING) || !defined(ASIO_DISABLE_EPOLL)
#error "asio on io_uring needs ASIO_HAS_IO_URING and ASIO_DISABLE_EPOLL"
#endif

#include "asio_echo.hpp"
#include "echo_rivals.hpp"

void coex_bench::echo_with_asio_on_io_uring(int listener, int connections) {
    asio_serve(listener, connections);
}
