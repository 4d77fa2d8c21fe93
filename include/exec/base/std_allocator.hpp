#pragma once

// std::allocator, std::allocator_traits and std::allocator_arg, without <memory>'s smart pointers, which bring streams.
#include <exec/base/narrow_std.hpp>
#if COEX_NARROW_STD
#include <bits/alloc_traits.h>
#include <bits/allocator.h>
#include <bits/uses_allocator.h>
#else
#include <memory>
#endif
