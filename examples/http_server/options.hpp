#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace http_server {

/// What a client may use up at most, and how long it may take.
struct limits {
    std::size_t connections = 1024;  ///< at once; more wait in the kernel's queue
    std::size_t head_bytes = 16384;  ///< of a request: its line and its headers
    std::size_t headers = 100;
    std::size_t body_bytes = 65536;                 ///< read and dropped: nothing here has a use for it
    std::chrono::milliseconds head_time{10'000};    ///< from a request's first byte to its last
    std::chrono::milliseconds idle_time{30'000};    ///< between requests
    std::chrono::milliseconds send_time{30'000};    ///< for a client to take 64 KiB
    std::chrono::milliseconds parting_time{2'000};  ///< for a client that was refused to stop sending
    std::chrono::milliseconds grace{10'000};        ///< for requests in progress once the server is to end
};

struct options {
    std::string root = ".";
    std::string listen = "127.0.0.1:8080";
    unsigned threads = 1;
    limits bounds;
};

/// Reads the command line; prints and exits for --help and bad usage.
[[nodiscard]] options read_options(int argc, char** argv);

}  // namespace http_server
