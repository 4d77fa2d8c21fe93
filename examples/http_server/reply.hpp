#pragma once

#include "request_parser.hpp"
#include "session.hpp"

#include <string>

namespace http_server {

/// Answers a request with a file of the site, or says why not.
[[nodiscard]] coex::task<void> reply(site& where, coex::tcp_stream& client, const request& asked);

/// Answers with a status and no more. `headers`: further lines, each with its end.
[[nodiscard]] coex::task<void> reply_status(site& where, coex::tcp_stream& client, int status, bool keep_alive,
                                            bool is_head, std::string headers);

}  // namespace http_server
