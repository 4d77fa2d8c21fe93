#include "device/sysfs.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <string_view>

namespace coex::inline v0::detail {
namespace {

namespace fs = std::filesystem;

// What hypervisors call themselves: their disks say rotational=1 whatever lies behind, unless somebody configured it.
bool is_virtual(const fs::path& disk) {
    const std::string name = disk.filename().string();
    if (name.rfind("vd", 0) == 0 || name.rfind("xvd", 0) == 0) return true;
    constexpr std::array<std::string_view, 7> makers = {"QEMU", "VMware", "Msft", "VBOX", "Google", "XenSrc", "Amazon"};
    const std::string vendor = read_line(disk / "device/vendor");
    return std::any_of(makers.begin(), makers.end(),
                       [&vendor](std::string_view maker) { return vendor.rfind(maker, 0) == 0; });
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string read_line(const fs::path& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

std::optional<unsigned> read_number(const fs::path& path) {
    const std::string text = read_line(path);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        names.push_back(at->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string nvme_controller(const std::string& name) {
    constexpr std::string_view prefix = "nvme";
    if (name.rfind(prefix, 0) != 0) return {};
    const auto end = name.find_first_not_of("0123456789", prefix.size());
    if (end == std::string::npos || end == prefix.size() || (name[end] != 'n' && name[end] != 'c')) return {};
    const auto space = name.rfind('n');
    return all_digits(std::string_view(name).substr(space + 1)) ? name.substr(0, end) : std::string();
}

std::string device_mapper_name(const fs::path& root, const std::string& label) {
    for (const std::string& name : names_in(root / "sys/class/block")) {
        if (name.rfind("dm-", 0) == 0 && read_line(root / "sys/class/block" / name / "dm/name") == label) return name;
    }
    return {};
}

std::vector<std::string> btrfs_members(const fs::path& root, const std::string& member) {
    const fs::path all = root / "sys/fs/btrfs";
    for (const std::string& each : names_in(all)) {
        std::vector<std::string> members = names_in(all / each / "devices");
        if (std::binary_search(members.begin(), members.end(), member)) return members;
    }
    return {};
}

void classify_by_rotation(const fs::path& disk, device_class& kind, std::vector<std::string>& reasons) {
    const std::string name = disk.filename().string();
    const std::string text = read_line(disk / "queue/rotational");
    if (text == "0") {
        kind = device_class::ssd;
        reasons.push_back(name + "/queue/rotational is 0: solid state");
    } else if (text == "1" && is_virtual(disk)) {
        kind = device_class::unknown;
        reasons.push_back(
            name + "/queue/rotational is 1, but the disk is virtual, and hypervisors say so whatever lies behind");
    } else if (text == "1") {
        kind = device_class::hdd;
        reasons.push_back(name + "/queue/rotational is 1: it spins");
    } else {
        kind = device_class::unknown;
        reasons.push_back(name + "/queue/rotational " + (text.empty() ? "cannot be read" : "is \"" + text + "\""));
    }
}

}  // namespace coex::inline v0::detail
