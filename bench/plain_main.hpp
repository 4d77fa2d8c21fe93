#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace coex_bench {

/// For a program that prints figures which are no times of iterations, but is started as the benchmarks are: ends it
/// when another name than `name` is asked for, and after the help, of which `what` is the end.
inline void go_on_if_asked_for(int argc, char** argv, std::string_view name, const char* what) {
    constexpr std::string_view filter = "--benchmark_filter=";
    const std::string_view argument = argc > 1 ? argv[1] : "";
    if (argument.starts_with(filter)) {
        const std::string_view wanted = argument.substr(filter.size());
        if (wanted != "." && name.find(wanted) == std::string_view::npos) std::exit(0);
    } else if (!argument.empty()) {
        std::printf("usage: %.*s_bench     prints %s\n", static_cast<int>(name.size()), name.data(), what);
        std::exit(argument == "--help" ? 0 : 2);
    }
}

}  // namespace coex_bench
