#include "sys/cgroup_quota.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace coex::inline v0::detail {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_text(const fs::path& path) {
    std::ifstream in(path);
    if (!in) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), {});
}

std::optional<long long> parse_number(std::string_view text) noexcept {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    long long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string> fields(const std::string& line) {
    std::istringstream in(line);
    return {std::istream_iterator<std::string>(in), {}};
}

bool lists(const std::string& options, std::string_view wanted) {
    std::istringstream in(options);
    for (std::string each; std::getline(in, each, ',');) {
        if (each == wanted) return true;
    }
    return false;
}

/// Where a hierarchy of control groups is mounted, and which of its groups is shown there.
struct hierarchy {
    fs::path mount_point;
    std::string mounted_group;
    bool version_2 = false;
};

// A line of mountinfo: ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS
std::vector<hierarchy> cpu_hierarchies(const fs::path& root) {
    std::vector<hierarchy> found;
    std::istringstream lines(read_text(root / "proc/self/mountinfo").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::string> parts = fields(line);
        const auto dash = std::find(parts.begin(), parts.end(), "-");
        if (parts.size() < 6 || parts.end() - dash < 4) continue;
        const std::string& type = dash[1];
        const bool version_2 = type == "cgroup2";
        if (!version_2 && !(type == "cgroup" && lists(dash[3], "cpu"))) continue;
        found.push_back({root / fs::path(parts[4]).relative_path(), parts[3], version_2});
    }
    return found;
}

// A line of /proc/self/cgroup: ID:CONTROLLERS:PATH, where version 2 has ID 0 and no controllers.
std::optional<std::string> own_group(const fs::path& root, bool version_2) {
    std::istringstream lines(read_text(root / "proc/self/cgroup").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool wanted = version_2 ? controllers.empty() : lists(controllers, "cpu");
        if (wanted) return line.substr(second + 1);
    }
    return std::nullopt;
}

std::optional<double> quota_of(const fs::path& group, bool version_2) {
    if (version_2) {
        const auto text = read_text(group / "cpu.max");
        return text ? parse_cpu_max(*text) : std::nullopt;
    }
    const auto quota = parse_number(read_text(group / "cpu.cfs_quota_us").value_or(""));
    const auto period = parse_number(read_text(group / "cpu.cfs_period_us").value_or(""));
    if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
    return static_cast<double>(*quota) / static_cast<double>(*period);
}

// Above the root of this process's cgroup namespace.
bool is_outside(std::string_view group) noexcept {
    return group == "/.." || group.substr(0, 4) == "/../";
}

// The group's directory below the mount point. In a container the mount often shows only the container's own group:
// then the shown part is cut off, and what lies outside ("/../..") cannot be seen. Nothing when the mount shows other
// groups, whose limits are not ours.
std::optional<fs::path> directory_of(const hierarchy& where, const std::string& group) {
    std::string_view rest = group;
    const std::string_view shown = where.mounted_group == "/" ? std::string_view() : where.mounted_group;
    if (is_outside(rest) || is_outside(shown)) {
        rest = {};
    } else if (rest.substr(0, shown.size()) == shown && (rest.size() == shown.size() || rest[shown.size()] == '/')) {
        rest.remove_prefix(shown.size());
    } else {
        return std::nullopt;
    }
    return (where.mount_point / fs::path(rest).relative_path()).lexically_normal();
}

}  // namespace

std::optional<double> parse_cpu_max(std::string_view text) noexcept {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto quota = parse_number(text.substr(0, space));
    const auto period = parse_number(text.substr(space + 1));
    if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
    return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root) {
    std::optional<double> smallest;
    for (const hierarchy& where : cpu_hierarchies(root)) {
        const auto group = own_group(root, where.version_2);
        const auto directory = group ? directory_of(where, *group) : std::nullopt;
        if (!directory) continue;
        const fs::path top = where.mount_point.lexically_normal();
        for (fs::path at = *directory;; at = at.parent_path()) {
            if (const auto quota = quota_of(at, where.version_2))
                smallest = std::min(smallest.value_or(*quota), *quota);
            if (at == top || at == at.parent_path()) break;
        }
    }
    return smallest;
}

}  // namespace coex::inline v0::detail
