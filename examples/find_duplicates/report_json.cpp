#include "report.hpp"
#include "text_encoding.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace find_duplicates {
namespace {

using json = nlohmann::ordered_json;

/// The exact bytes of those paths that JSON cannot carry, by their index in "files".
json raw_paths(const duplicate_group& group) {
    json raw = json::object();
    for (std::size_t i = 0; i < group.files.size(); ++i) {
        if (!is_utf8(group.files[i].path)) raw[std::to_string(i)] = to_base64(group.files[i].path);
    }
    return raw;
}

/// The further names of each file, by its index in "files".
json link_paths(const duplicate_group& group) {
    json links = json::object();
    for (std::size_t i = 0; i < group.files.size(); ++i) {
        if (group.files[i].hard_links.empty()) continue;
        json& names = links[std::to_string(i)] = json::array();
        for (const std::string& link : group.files[i].hard_links) {
            json name = {{"path", to_utf8(link)}};
            if (!is_utf8(link)) name["raw"] = to_base64(link);
            names.push_back(std::move(name));
        }
    }
    return links;
}

json group_json(const duplicate_group& group) {
    json files = json::array();
    for (const duplicate_file& file : group.files) files.push_back(to_utf8(file.path));
    json result = {{"size", group.size}, {"files", std::move(files)}};
    if (json raw = raw_paths(group); !raw.empty()) result["raw"] = std::move(raw);
    if (json links = link_paths(group); !links.empty()) result["hard_links"] = std::move(links);
    return result;
}

json problem_json(const problem& of) {
    json result = {{"path", to_utf8(of.path)}, {"reason", of.reason}};
    if (!is_utf8(of.path)) result["raw"] = to_base64(of.path);
    return result;
}

json summary_json(const summary& totals) {
    return {{"files", totals.files},
            {"bytes", totals.bytes},
            {"directories", totals.directories},
            {"groups", totals.groups},
            {"duplicates", totals.duplicates},
            {"duplicate_bytes", totals.duplicate_bytes},
            {"errors", totals.errors},
            {"skipped_special_files", totals.skipped_special_files},
            {"skipped_symbolic_links", totals.skipped_symbolic_links},
            {"broken_symbolic_links", totals.broken_symbolic_links}};
}

/// One element on each line: easy to look at, to compare and to grep.
void append_lines(std::string& out, const char* key, const std::vector<json>& elements) {
    out += std::string(" \"") + key + "\": [";
    for (std::size_t i = 0; i < elements.size(); ++i) out += (i == 0 ? "\n  " : ",\n  ") + elements[i].dump();
    out += elements.empty() ? "],\n" : "\n ],\n";
}

}  // namespace

std::string json_report(const search_result& result, const std::vector<problem>& problems, const summary& totals) {
    std::vector<json> groups;
    groups.reserve(result.size());
    for (const duplicate_group& group : result) groups.push_back(group_json(group));
    std::vector<json> errors;
    errors.reserve(problems.size());
    for (const problem& each : problems) errors.push_back(problem_json(each));
    std::string out = "{\n";
    append_lines(out, "groups", groups);
    append_lines(out, "errors", errors);
    return out + " \"summary\": " + summary_json(totals).dump() + "\n}\n";
}

}  // namespace find_duplicates
