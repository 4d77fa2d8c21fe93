#pragma once

// std::function and std::reference_wrapper, without <functional>'s searchers, which bring hash tables.
#include <exec/base/narrow_std.hpp>
#if COEX_NARROW_STD
#include <bits/refwrap.h>
#include <bits/std_function.h>
#else
#include <functional>
#endif
