#pragma once
#pragma GCC system_header  // no warnings of include_next

// stdexec includes <execution> itself, for the policies. So the names are declared here, after stdexec, whichever of
// the two a program includes first.
#include_next <stdexec/execution.hpp>

#include "../names.hpp"
