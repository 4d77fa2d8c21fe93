#include "report.hpp"

#include "text_encoding.hpp"

#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace find_duplicates {
namespace {

std::string count_of(std::uint64_t count, const char* one, const char* many) {
    return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

/// Returns 0 or an errno.
int write_all(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) return errno;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

std::string summary_line(const summary& totals) {
    std::string line;
    if (totals.groups == 0) {
        line = "No duplicates";
    } else {
        line = count_of(totals.duplicates, "duplicate", "duplicates") + " in " +
               count_of(totals.groups, "group", "groups") + " occupy " + human_bytes(totals.duplicate_bytes);
    }
    line += "; searched " + count_of(totals.files, "file", "files") + " (" + human_bytes(totals.bytes) + ") in " +
            count_of(totals.directories, "directory", "directories");
    if (totals.errors != 0) line += "; " + count_of(totals.errors, "error", "errors");
    return line + ".\n";
}

}  // namespace

summary summarize(const search_context& context, const search_result& result, std::size_t errors) {
    summary totals;
    totals.files = context.counters.files.load();
    totals.bytes = context.counters.bytes.load();
    totals.directories = context.files.directory_count();
    totals.groups = result.size();
    for (const duplicate_group& group : result) {
        totals.duplicates += group.files.size() - 1;
        totals.duplicate_bytes += group.size * (group.files.size() - 1);
    }
    totals.errors = errors;
    totals.skipped_special_files = context.counters.special_files.load();
    totals.skipped_symbolic_links = context.counters.symbolic_links.load();
    totals.broken_symbolic_links = context.counters.broken_links.load();
    return totals;
}

std::string text_report(const search_result& result, const summary& totals) {
    std::string out;
    for (const duplicate_group& group : result) {
        out += std::to_string(group.files.size()) + " files of " + std::to_string(group.size) + " bytes each:\n";
        for (const duplicate_file& file : group.files) {
            out += "  " + quote_if_needed(file.path) + '\n';
            for (const std::string& link : file.hard_links) out += "    hard link: " + quote_if_needed(link) + '\n';
        }
        out += '\n';
    }
    return out + summary_line(totals);
}

std::string print0_report(const search_result& result) {
    std::string out;
    for (const duplicate_group& group : result) {
        if (!out.empty()) out += '\0';
        for (const duplicate_file& file : group.files) {
            out += file.path;
            out += '\0';
        }
    }
    return out;
}

void print_problems(const std::vector<problem>& problems) {
    std::string out;
    for (const problem& each : problems) out += "find_duplicates: " + quote(each.path) + ": " + each.reason + '\n';
    // Nobody is left to be told when stderr cannot be written.
    static_cast<void>(write_all(STDERR_FILENO, out));
}

void print_report(const std::string& report) {
    if (const int error = write_all(STDOUT_FILENO, report)) {
        throw std::system_error(error, std::generic_category(), "cannot write the report");
    }
}

}  // namespace find_duplicates
