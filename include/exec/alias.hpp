#pragma once

#include <exec/exec.hpp>

/// Lets `exec::task` stand for `coex::task`. Not for programs that also use stdexec, which owns the name.
namespace exec = coex;
