#pragma once

// The concepts of ranges and iterators, std::ranges::begin, end and size, std::default_sentinel; without <ranges>'
// views.
#include <exec/base/narrow_std.hpp>
#if COEX_NARROW_STD
#include <string_view>

#include <bits/ranges_base.h>
#include <bits/stl_iterator.h>
#else
#include <iterator>
#include <ranges>
#endif
