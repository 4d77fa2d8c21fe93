#pragma once

#include "echo_sockets.hpp"

#include <asio.hpp>

#include <array>

// Internal to each file that includes it, as asio is another library in each: see asio_on_io_uring.cpp.
namespace {

asio::awaitable<void> asio_echo(asio::ip::tcp::socket peer) {
    std::array<char, 4096> block;
    for (;;) {
        asio::error_code failed;
        const std::size_t n =
            co_await peer.async_read_some(asio::buffer(block), asio::redirect_error(asio::use_awaitable, failed));
        if (failed) co_return;
        co_await asio::async_write(peer, asio::buffer(block, n), asio::use_awaitable);
    }
}

/// Accepts `connections`, and echoes in this thread until all of them have ended.
void asio_serve(int listener, int connections) {
    asio::io_context context(1);
    for (int i = 0; i < connections; ++i) {
        const int accepted = coex_bench::accept_one(listener);
        asio::co_spawn(context, asio_echo(asio::ip::tcp::socket(context, asio::ip::tcp::v4(), accepted)),
                       asio::detached);
    }
    context.run();
}

}  // namespace
