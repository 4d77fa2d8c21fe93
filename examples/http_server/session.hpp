#pragma once

#include "options.hpp"
#include "tag_cache.hpp"

#include <exec/exec.hpp>

namespace http_server {

/// What all sessions share.
struct site {
    site(coex::directory opened, coex::static_thread_pool& cpu, const limits& of_clients)
        : root(std::move(opened)), tags(cpu), bounds(of_clients), slots(of_clients.connections) {}

    coex::directory root;
    tag_cache tags;
    limits bounds;
    coex::semaphore slots;              ///< one a connection
    coex::manual_reset_event draining;  ///< set: no further requests are taken
};

/// Serves one connection to its end, and gives its slot back.
[[nodiscard]] coex::task<void> session(site& where, coex::tcp_stream client);

}  // namespace http_server
