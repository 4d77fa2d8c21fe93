#include <exec/io/backend_kind.hpp>

#include "io/ring.hpp"

#include <exec/base/exceptions.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace coex::inline v0 {
namespace {

io_backend_kind choose() {
    const char* const value = std::getenv("COEX_IO");
    const std::string asked = value == nullptr ? "" : value;
    if (!asked.empty() && asked != "io_uring" && asked != "fallback") {
        detail::throw_exception(std::invalid_argument(
            "COEX_IO=\"" + asked + "\" is not a backend: set io_uring or fallback, or unset it for automatic"));
    }
    if (asked == "fallback") return io_backend_kind::fallback;
    const std::string reason = detail::ring::why_not();
    if (reason.empty()) return io_backend_kind::io_uring;
    if (asked == "io_uring") {
        detail::throw_exception(std::system_error(
            ENOTSUP, std::generic_category(),
            "COEX_IO=io_uring, but io_uring cannot be used: " + reason + "; or set COEX_IO=fallback"));
    }
    std::fprintf(stderr,
                 "coex: io_uring cannot be used (%s); helper threads do the input and output. "
                 "COEX_IO=fallback chooses that without this message.\n",
                 reason.c_str());
    return io_backend_kind::fallback;
}

}  // namespace

io_backend_kind active_io_backend() {
    static const io_backend_kind kind = choose();
    return kind;
}

std::string to_string(io_backend_kind kind) {
    return kind == io_backend_kind::io_uring ? "io_uring" : "fallback";
}

}  // namespace coex::inline v0
