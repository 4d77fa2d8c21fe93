#pragma once

/// The version of coex, as numbers and as text.
#define COEX_VERSION_MAJOR 0
#define COEX_VERSION_MINOR 1
#define COEX_VERSION_PATCH 0
#define COEX_VERSION "0.1.0"
