// What all tests include, and nothing else: so no test lacks an include that the precompiled header would hide.
// No .hpp: as a main file, which it is when precompiled, it may not say #pragma once.
#include <gtest/gtest.h>
