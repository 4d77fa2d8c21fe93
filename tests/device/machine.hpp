#pragma once

#include <exec/device/resource_pools.hpp>

#include <sys/sysmacros.h>

#include <unistd.h>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace coex_test {

namespace fs = std::filesystem;

/// A machine that a test makes up: the parts of /sys and /proc that discovery reads, in a directory that goes with it.
class machine {
public:
    machine() {
        std::string pattern = (fs::temp_directory_path() / "coex-machine-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        fs::create_directories(root_ / "sys/dev/block");
        fs::create_directories(root_ / "sys/class/block");
        fs::create_directories(root_ / "proc/self");
        fs::create_directories(root_ / "dev/mapper");
    }
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;
    ~machine() {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }

    [[nodiscard]] const fs::path& root() const { return root_; }

    void write(const fs::path& file, const std::string& text) const {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text << '\n';
    }

    /// A whole disk: `where` below sys/devices, `number` as "8:0".
    void disk(const fs::path& where, const std::string& number, const std::string& rotational,
              unsigned requests = 256) {
        link(where, number);
        if (!rotational.empty()) write("sys/devices" / where / "queue/rotational", rotational);
        write("sys/devices" / where / "queue/nr_requests", std::to_string(requests));
    }

    void partition(const fs::path& disk, const std::string& name, const std::string& number) {
        link(disk / name, number);
        write("sys/devices" / disk / name / "partition", "1");
    }

    /// A volume of device-mapper or md over the block devices named.
    void volume(const std::string& name, const std::string& number, const std::vector<std::string>& members,
                const std::string& label = {}) {
        const fs::path where = fs::path("virtual/block") / name;
        link(where, number);
        write("sys/devices" / where / "queue/rotational", "1");
        if (!label.empty()) write("sys/devices" / where / "dm/name", label);
        fs::create_directories(root_ / "sys/devices" / where / "slaves");
        for (const std::string& member : members) {
            fs::create_symlink(fs::read_symlink(root_ / "sys/class/block" / member),
                               root_ / "sys/devices" / where / "slaves" / member);
        }
    }

    void mount(const std::string& number, const std::string& point, const std::string& type, const std::string& source,
               const std::string& options = "rw", const std::string& mounted_root = "/") {
        std::ofstream(root_ / "proc/self/mountinfo", std::ios::app)
            << 20 + mounts_++ << " 1 " << number << ' ' << mounted_root << ' ' << point << " rw,relatime shared:1 - "
            << type << ' ' << source << ' ' << options << '\n';
    }

    /// What `stat` says of a path on this machine.
    void place(const std::string& path, const std::string& number) { places_[path] = parse(number); }

    [[nodiscard]] coex::resource_options options() const {
        coex::resource_options chosen;
        chosen.root = root_;
        chosen.device_number = [places = places_](const fs::path& path) -> std::uint64_t {
            const auto found = places.find(path.string());
            if (found == places.end()) errno = ENOENT;
            return found == places.end() ? 0 : found->second;
        };
        return chosen;
    }

    [[nodiscard]] static std::uint64_t parse(const std::string& number) {
        const auto colon = number.find(':');
        return makedev(static_cast<unsigned>(std::stoul(number.substr(0, colon))),
                       static_cast<unsigned>(std::stoul(number.substr(colon + 1))));
    }

private:
    void link(const fs::path& where, const std::string& number) {
        const fs::path directory = root_ / "sys/devices" / where;
        fs::create_directories(directory);
        fs::create_symlink(directory, root_ / "sys/dev/block" / number);
        fs::create_symlink(directory, root_ / "sys/class/block" / where.filename());
    }

    fs::path root_;
    unsigned mounts_ = 0;
    std::map<std::string, std::uint64_t> places_;
};

}  // namespace coex_test
