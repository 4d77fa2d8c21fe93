#pragma once

#include "io/socket_support.hpp"

#include <exec/io/child_process.hpp>
#include <exec/io/file.hpp>
#include <exec/io/splice.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace coex_test {

inline std::size_t bytes_in(const coex::file& pipe) {
    int count = 0;
    EXPECT_EQ(::ioctl(pipe.native_handle(), FIONREAD, &count), 0);
    return static_cast<std::size_t>(count);
}

inline void put(const coex::file& writing_end, const std::string& text) {
    ASSERT_EQ(::write(writing_end.native_handle(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

/// What differs from byte to byte, with a period that is no power of two.
inline std::string long_text(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('!' + i % 91);
    return text;
}

struct pipe_ends {
    explicit pipe_ends(coex::static_thread_pool& pool) : pipe_ends(coex::make_pipe(pool)) {}
    explicit pipe_ends(std::pair<coex::file, coex::file> ends)
        : reading(std::move(ends.first)), writing(std::move(ends.second)) {}

    coex::file reading;
    coex::file writing;
};

inline coex::task<std::pair<coex::tcp_stream, coex::tcp_stream>> tcp_pair(coex::static_thread_pool& pool) {
    coex::tcp_listener listener = coex::tcp_listener::listen(pool, coex::endpoint::loopback(0));
    coex::tcp_stream first = co_await coex::tcp_stream::connect(pool, listener.local_endpoint());
    coex::tcp_stream second = co_await listener.accept();
    co_return std::pair(std::move(first), std::move(second));
}

}  // namespace coex_test
