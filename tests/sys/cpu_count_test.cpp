#include <exec/sys/cpu_count.hpp>

#include "sys/cgroup_quota.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

namespace fs = std::filesystem;
using coex::detail::cgroup_cpu_quota;
using coex::detail::parse_cpu_max;
using coex::detail::parse_thread_count;

/// The parts of /proc and /sys that tell a quota.
class tree {
public:
    tree() {
        std::string pattern = (fs::temp_directory_path() / "coex-cgroup-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
    }
    ~tree() {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }
    void write(const std::string& file, const std::string& text) const {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text << '\n';
    }
    [[nodiscard]] const fs::path& root() const { return root_; }

private:
    fs::path root_;
};

constexpr const char* version_2_mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw";

TEST(cpu_count, the_form_of_cpu_max_is_understood) {
    EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1.5);
    EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
    EXPECT_EQ(parse_cpu_max(""), std::nullopt);
    EXPECT_EQ(parse_cpu_max("100000"), std::nullopt);
    EXPECT_EQ(parse_cpu_max("-1 100000"), std::nullopt);
    EXPECT_EQ(parse_cpu_max("100000 0"), std::nullopt);
}

TEST(cpu_count, the_smallest_quota_of_all_ancestors_counts) {
    const tree machine;
    machine.write("proc/self/mountinfo", version_2_mount);
    machine.write("proc/self/cgroup", "0::/a/b");
    machine.write("sys/fs/cgroup/a/b/cpu.max", "400000 100000");
    machine.write("sys/fs/cgroup/a/cpu.max", "50000 100000");
    EXPECT_EQ(cgroup_cpu_quota(machine.root()), 0.5);
    EXPECT_EQ(coex::available_cpus(machine.root()), 1U) << "rounded up, at least one";
}

TEST(cpu_count, no_quota_means_the_affinity_mask) {
    const tree machine;
    machine.write("proc/self/mountinfo", version_2_mount);
    machine.write("proc/self/cgroup", "0::/a");
    machine.write("sys/fs/cgroup/a/cpu.max", "max 100000");
    EXPECT_EQ(cgroup_cpu_quota(machine.root()), std::nullopt);
    EXPECT_GE(coex::available_cpus(machine.root()), 1U);
}

TEST(cpu_count, version_1_is_understood_beside_version_2) {
    const tree machine;
    machine.write("proc/self/mountinfo",
                  "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
                  "32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
    machine.write("proc/self/cgroup", "4:cpu,cpuacct:/job\n0::/job");
    machine.write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "200000");
    machine.write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000");
    EXPECT_EQ(cgroup_cpu_quota(machine.root()), 2.0);
}

TEST(cpu_count, an_unlimited_version_1_group_has_no_quota) {
    const tree machine;
    machine.write("proc/self/mountinfo", "31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu");
    machine.write("proc/self/cgroup", "4:cpu:/");
    machine.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1");
    machine.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
    EXPECT_EQ(cgroup_cpu_quota(machine.root()), std::nullopt);
}

TEST(cpu_count, a_container_sees_its_own_group_at_the_mount_point) {
    const tree machine;
    machine.write("proc/self/mountinfo", "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw");
    machine.write("proc/self/cgroup", "0::/docker/abc");
    machine.write("sys/fs/cgroup/cpu.max", "300000 100000");
    EXPECT_EQ(cgroup_cpu_quota(machine.root()), 3.0);
}

TEST(cpu_count, a_group_outside_the_namespace_is_not_an_error) {
    const tree machine;
    machine.write("proc/self/mountinfo", version_2_mount);
    machine.write("proc/self/cgroup", "0::/../../elsewhere");
    machine.write("sys/fs/cgroup/cpu.max", "100000 100000");
    EXPECT_EQ(cgroup_cpu_quota(machine.root()), 1.0);
}

TEST(cpu_count, a_mount_that_shows_other_groups_does_not_limit_this_one) {
    const tree machine;
    machine.write("proc/self/mountinfo", "30 23 0:26 /job /sys/fs/cgroup ro - cgroup2 cgroup rw");
    machine.write("proc/self/cgroup", "0::/jobber");
    machine.write("sys/fs/cgroup/cpu.max", "100000 100000");
    EXPECT_EQ(cgroup_cpu_quota(machine.root()), std::nullopt);
}

TEST(cpu_count, nested_version_1_groups_are_limited_by_their_ancestors) {
    const tree machine;
    machine.write("proc/self/mountinfo",
                  "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
                  "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
                  "33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n"
                  "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw");
    machine.write("proc/self/cgroup", "2:cpuacct:/\n1:cpu:/outer/inner\n0::/");
    machine.write("sys/fs/cgroup/cpu/outer/inner/cpu.cfs_quota_us", "-1");
    machine.write("sys/fs/cgroup/cpu/outer/inner/cpu.cfs_period_us", "100000");
    machine.write("sys/fs/cgroup/cpu/outer/cpu.cfs_quota_us", "250000");
    machine.write("sys/fs/cgroup/cpu/outer/cpu.cfs_period_us", "100000");
    EXPECT_EQ(cgroup_cpu_quota(machine.root()), 2.5);
}

TEST(cpu_count, missing_files_mean_no_quota) {
    EXPECT_EQ(cgroup_cpu_quota(tree().root()), std::nullopt);
}

TEST(cpu_count, the_variable_is_a_number_or_an_error_that_tells_the_cure) {
    EXPECT_EQ(parse_thread_count(""), 0U);
    EXPECT_EQ(parse_thread_count("0"), 0U);
    EXPECT_EQ(parse_thread_count("6"), 6U);
    EXPECT_EQ(parse_thread_count("65535"), 65535U);
    for (const char* text : {"abc", "-1", "+6", " 5", "5 ", "1.5", "65536", "99999999999999999999"}) {
        try {
            static_cast<void>(parse_thread_count(text));
            ADD_FAILURE() << text;
        } catch (const std::invalid_argument& error) {
            EXPECT_NE(std::string(error.what()).find("COEX_NUM_THREADS=\"" + std::string(text) + "\""),
                      std::string::npos);
        }
    }
}

TEST(cpu_count, the_variable_is_read_at_every_call) {
    ::setenv("COEX_NUM_THREADS", "7", 1);
    EXPECT_EQ(coex::default_thread_count(), 7U);
    ::unsetenv("COEX_NUM_THREADS");
    EXPECT_EQ(coex::default_thread_count(), coex::available_cpus());
}

}  // namespace
