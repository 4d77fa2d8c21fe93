#pragma once

#include <string>

namespace coex::inline v0 {

/// What carries out input and output.
enum class io_backend_kind {
    io_uring,  ///< the kernel's rings: no thread waits
    fallback,  ///< helper threads make blocking calls, where io_uring is missing or forbidden
};

/// Which one this process uses: `COEX_IO=io_uring` or `COEX_IO=fallback` if set, else io_uring where the kernel allows
/// it. Decided at the first call. When io_uring is missing and was not asked for, says so once on stderr.
///
/// Errors: std::invalid_argument when `COEX_IO` is something else; std::system_error when io_uring was asked for and is
///         missing, with the reason.
[[nodiscard]] io_backend_kind active_io_backend();

/// "io_uring" or "fallback".
[[nodiscard]] std::string to_string(io_backend_kind kind);

}  // namespace coex::inline v0
