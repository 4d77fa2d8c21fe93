#pragma once

// std::shared_ptr, without what else <memory> brings: streams, and algorithms that run in parallel.
#include <exec/base/narrow_std.hpp>
#if COEX_NARROW_STD
#include <bits/shared_ptr.h>
#else
#include <memory>
#endif
