#pragma once

#include "problems.hpp"
#include "search.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace find_duplicates {

/// The numbers at the end of a report.
struct summary {
    std::uint64_t files = 0;  // regular files of a wanted size that were found
    std::uint64_t bytes = 0;  // their sizes
    std::uint64_t directories = 0;
    std::uint64_t groups = 0;
    std::uint64_t duplicates = 0;  // files that could go: all but one of each group
    std::uint64_t duplicate_bytes = 0;
    std::uint64_t errors = 0;
    std::uint64_t skipped_special_files = 0;
    std::uint64_t skipped_symbolic_links = 0;
    std::uint64_t broken_symbolic_links = 0;
};

[[nodiscard]] summary summarize(const search_context& context, const search_result& result, std::size_t errors);

[[nodiscard]] std::string text_report(const search_result& result, const summary& totals);
[[nodiscard]] std::string print0_report(const search_result& result);
[[nodiscard]] std::string json_report(const search_result& result, const std::vector<problem>& problems,
                                      const summary& totals);

/// One line on stderr for each problem.
void print_problems(const std::vector<problem>& problems);

/// Writes the whole report to stdout. Throws std::system_error if that fails.
void print_report(const std::string& report);

}  // namespace find_duplicates
