#include "interrupt.hpp"
#include "open_files.hpp"
#include "options.hpp"
#include "report.hpp"
#include "search.hpp"
#include "text_encoding.hpp"

#include <exec/exec.hpp>

#include <fcntl.h>

#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace find_duplicates {
namespace {

int complain(const std::string& problem, int code) {
    std::cerr << "find_duplicates: " + problem + '\n';
    return code;
}

/// Returns nothing, after complaints, when not all of the paths exist.
std::optional<std::vector<root>> find_roots(const options& wanted) {
    std::vector<root> roots;
    for (const std::string& path : wanted.roots) {
        root each;
        each.path = path;
        while (each.path.size() > 1 && each.path.ends_with('/')) each.path.pop_back();
        if (const std::error_code error = read_status(AT_FDCWD, path.c_str(), link_target::target, each.status)) {
            complain("cannot search " + quote(path) + ": " + error.message(), exit_usage);
            continue;
        }
        roots.push_back(std::move(each));
    }
    if (roots.size() != wanted.roots.size()) return std::nullopt;
    return roots;
}

std::string explain(coex::resource_pools& pools, const std::vector<root>& roots) {
    std::string text = pools.explain();
    if (!text.ends_with('\n')) text += '\n';
    for (const root& each : roots) {
        text += quote(each.path) + " lies on " + pools.device_of(each.status.identity.device).name + '\n';
    }
    return text;
}

std::string make_report(search_context& context, const search_result& result) {
    const std::vector<problem>& problems = context.problems.sorted();
    const summary totals = summarize(context, result, problems.size());
    switch (context.wanted.format) {
        case output_format::json:
            return json_report(result, problems, totals);
        case output_format::print0:
            return print0_report(result);
        case output_format::text:
            break;
    }
    return text_report(result, totals);
}

int run(const options& wanted) {
    std::optional<std::vector<root>> roots = find_roots(wanted);
    if (!roots) return exit_usage;
    coex::inplace_stop_source source;
    const interrupt_watch interrupt(source);
    const std::size_t open_files = raise_open_file_limit();
    coex::resource_options resources;
    resources.cpu.threads = wanted.threads;
    coex::resource_pools pools{std::move(resources)};
    // Malformed environment variables are refused even where there turns out to be nothing to read or hash.
    static_cast<void>(coex::active_io_backend());
    static_cast<void>(pools.cpu());
    if (wanted.task == task_kind::explain) {
        print_report(explain(pools, *roots));
        return exit_success;
    }
    problem_log problems;
    progress_line progress(wanted.progress);
    search_context context{wanted, pools, problems, progress, source.get_token(), open_files};
    auto result = coex::sync_wait(search(context, std::move(*roots)), source.get_token());
    progress.finish();
    print_problems(problems.sorted());
    if (!result || interrupt.signal() != 0) return exit_signal_base + interrupt.signal();
    print_report(make_report(context, std::get<0>(*result)));
    return problems.sorted().empty() ? exit_success : exit_incomplete;
}

}  // namespace
}  // namespace find_duplicates

int main(int argument_count, char** arguments) {
    using namespace find_duplicates;
    try {
        const std::variant<options, exit_code> parsed = parse_options(argument_count, arguments);
        if (const exit_code* code = std::get_if<exit_code>(&parsed)) return *code;
        return run(std::get<options>(parsed));
    } catch (const std::bad_alloc&) {
        return complain("out of memory", exit_failure);
    } catch (const std::invalid_argument& error) {
        // How the library refuses COEX_... environment variables that it cannot understand.
        return complain(error.what(), exit_usage);
    } catch (const std::exception& error) {
        return complain(error.what(), exit_failure);
    }
}
