#pragma once

#include "io/support.hpp"

#include <exec/coro/block_on.hpp>
#include <exec/coro/sync_wait.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/io/io_error.hpp>
#include <exec/io/tcp.hpp>
#include <exec/io/timer.hpp>
#include <exec/io/unix.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

namespace coex_test {

inline std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::span<std::byte> room_in(std::string& text) {
    return std::as_writable_bytes(std::span(text.data(), text.size()));
}

/// Sends back what comes, until the peer ends its stream.
template <class Stream>
coex::task<void> echo(Stream peer) {
    std::vector<std::byte> block(4096);
    for (;;) {
        const std::size_t n = co_await peer.read_some(block);
        if (n == 0) break;
        co_await peer.write_all(std::span<const std::byte>(block).first(n));
    }
}

/// Runs the task on the pool; what it throws is thrown.
template <coex::awaitable Work>
coex::await_result_t<Work> run_on(coex::static_thread_pool& pool, Work work) {
    const auto there = [](coex::static_thread_pool& home, Work inner) -> coex::task<coex::await_result_t<Work>> {
        co_await home.schedule();
        co_return co_await std::move(inner);
    };
    return coex::block_on(there(pool, std::move(work)));
}

/// Code and text of the std::system_error that the task throws.
template <coex::awaitable Work>
std::pair<std::error_code, std::string> failure_of(coex::static_thread_pool& pool, Work work) {
    try {
        static_cast<void>(run_on(pool, std::move(work)));
    } catch (const std::system_error& error) {
        return {error.code(), error.what()};
    }
    return {{}, "no error"};
}

}  // namespace coex_test
