#pragma once

// Durations, their literals, time points and clocks, without <chrono>'s calendars and streams.
#include <exec/base/narrow_std.hpp>
#if COEX_NARROW_STD
#include <bits/chrono.h>
#else
#include <chrono>
#endif
