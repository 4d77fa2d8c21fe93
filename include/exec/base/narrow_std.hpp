#pragma once

#include <cstddef>

/// 1 where the headers `std_*.hpp` beside this one take a part of a standard header instead of all of it: with the
/// releases of libstdc++ for which they have been checked. Everywhere else, and where COEX_WHOLE_STD is defined, they
/// include the standard header. Either way the same names are declared; what differs is the time to compile
/// (docs/decisions/0014-narrow-headers.md).
#if defined(_GLIBCXX_RELEASE) && !defined(COEX_WHOLE_STD)
#define COEX_NARROW_STD (_GLIBCXX_RELEASE == 12)
#else
#define COEX_NARROW_STD 0
#endif
