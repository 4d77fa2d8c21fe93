#include "device/discovery.hpp"
#include "device/machine.hpp"

#include <gtest/gtest.h>

#include <string>

// Discovery where a device number leads to the mount table, not to a block device.
namespace {

using coex::device_class;
using coex::resource_pools;
using coex_test::machine;

std::uint64_t dev(const char* number) {
    return machine::parse(number);
}

bool mentions(const coex::storage_device& device, const std::string& text) {
    return device.explain().find(text) != std::string::npos;
}

/// Adds a btrfs whose mount point /data has, as stat tells it, the number 0:50: not that of the mount table.
void add_btrfs(machine& pc) {
    pc.disk("pci/ata1/block/sdc", "8:32", "1");
    pc.partition("pci/ata1/block/sdc", "sdc1", "8:33");
    pc.mount("0:44", "/data", "btrfs", "/dev/sdc1", "rw,subvol=/@data", "/@data");
    pc.place("/data", "0:50");
}

TEST(mounted_file_systems, a_mounted_btrfs_subvolume_is_found_by_the_number_of_its_files) {
    machine pc;
    add_btrfs(pc);
    pc.mount("0:61", "/other", "btrfs", "/dev/nowhere");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:50")).name, "sdc");
    EXPECT_EQ(&pools.for_dev(dev("0:50")), &pools.for_dev(dev("8:33")));
    EXPECT_EQ(pools.class_of("/data/file"), device_class::hdd);
}

TEST(mounted_file_systems, a_subvolume_that_is_not_mounted_itself_belongs_to_the_only_btrfs) {
    machine pc;
    add_btrfs(pc);
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:51")).name, "sdc");
    EXPECT_EQ(&pools.device_of(dev("0:51")), &pools.device_of(dev("8:33")));
}

TEST(mounted_file_systems, a_number_that_could_belong_to_either_of_two_btrfs_is_unknown) {
    machine pc;
    add_btrfs(pc);
    pc.mount("0:61", "/other", "btrfs", "/dev/nowhere");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:51")).kind, device_class::unknown);
    EXPECT_EQ(pools.device_of(dev("0:51")).name, "dev-0:51");
}

TEST(mounted_file_systems, the_number_of_a_block_device_is_never_taken_for_a_subvolume) {
    machine pc;
    add_btrfs(pc);
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("8:99")).name, "dev-8:99");
}

TEST(mounted_file_systems, a_btrfs_over_two_disks_spans_both) {
    machine server;
    server.disk("pci/ata1/block/sda", "8:0", "0");
    server.disk("pci/ata2/block/sdb", "8:16", "1");
    server.partition("pci/ata2/block/sdb", "sdb1", "8:17");
    server.write("sys/fs/btrfs/features/raid56", "0");
    server.write("sys/fs/btrfs/5a1d/devices/sda/size", "8");
    server.write("sys/fs/btrfs/5a1d/devices/sdb1/size", "8");
    server.mount("0:44", "/data", "btrfs", "/dev/sda");
    resource_pools pools(server.options());
    EXPECT_EQ(pools.device_of(dev("0:44")).name, "sda+sdb");
    EXPECT_EQ(pools.device_of(dev("0:44")).kind, device_class::hdd);
    EXPECT_TRUE(mentions(pools.device_of(dev("0:44")), "the btrfs at /data is a volume over sda, sdb1"));
}

TEST(mounted_file_systems, the_layer_of_an_overlay_is_found_by_its_mount) {
    machine host;
    add_btrfs(host);
    host.mount("0:51", "/merged", "overlay", "overlay", "rw,lowerdir=/l,upperdir=/data/nested/upper,workdir=/w");
    // The first mount has the id 20. The layer lies in a subvolume whose number no mount has.
    const auto ask = [](const std::filesystem::path& path) {
        if (path == "/data/nested/upper") return coex::detail::path_place{.number = dev("0:77"), .mount_id = 20};
        return coex::detail::path_place{};
    };
    coex::detail::discovery found(host.root(), ask);
    EXPECT_EQ(found.find(dev("0:51")).name, "sdc");
}

TEST(mounted_file_systems, a_file_system_mounted_later_is_found) {
    machine pc;
    resource_pools pools(pc.options());
    pc.mount("0:60", "/run/fast", "tmpfs", "tmpfs");
    EXPECT_EQ(pools.device_of(dev("0:60")).kind, device_class::memory);
}

TEST(mounted_file_systems, a_bind_mount_is_the_device_of_what_it_shows) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "1");
    pc.mount("8:0", "/", "ext4", "/dev/sda");
    pc.mount("8:0", "/srv/www", "ext4", "/dev/sda", "rw", "/files/www");
    pc.place("/srv/www", "8:0");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(std::filesystem::path("/srv/www")).name, "sda");
    EXPECT_EQ(pools.device_of(dev("8:0")).mount_points, (std::vector<std::string>{"/", "/srv/www"}));
    EXPECT_EQ(pools.devices().size(), 1U);
}

TEST(mounted_file_systems, data_sets_of_one_zfs_pool_share_a_device_and_say_what_is_not_known) {
    machine pc;
    pc.mount("0:70", "/", "zfs", "tank/root");
    pc.mount("0:71", "/home", "zfs", "tank/home");
    pc.mount("0:72", "/backup", "zfs", "vault");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:70")).name, "zfs-tank");
    EXPECT_EQ(pools.device_of(dev("0:70")).kind, device_class::unknown);
    EXPECT_EQ(&pools.device_of(dev("0:70")), &pools.device_of(dev("0:71")));
    EXPECT_NE(&pools.device_of(dev("0:70")), &pools.device_of(dev("0:72")));
    EXPECT_TRUE(mentions(pools.device_of(dev("0:70")), "zfs does not tell"));
}

TEST(mounted_file_systems, whatever_is_answered_by_a_server_or_a_process_is_network) {
    machine pc;
    pc.mount("0:60", "/a", "cifs", "//nas/share");
    pc.mount("0:61", "/b", "9p", "host");
    pc.mount("0:62", "/c", "fuse.sshfs", "me@host:/home");
    pc.mount("0:63", "/d", "fuse", "/dev/fuse");
    resource_pools pools(pc.options());
    for (const char* number : {"0:60", "0:61", "0:62", "0:63"}) {
        EXPECT_EQ(pools.device_of(dev(number)).kind, device_class::network) << number;
    }
}

TEST(mounted_file_systems, a_process_that_serves_a_block_device_is_that_device) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "1");
    pc.partition("pci/ata1/block/sda", "sda5", "8:5");
    pc.mount("0:64", "/windows", "fuse.ntfs-3g", "/dev/sda5");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:64")).name, "sda");
}

}  // namespace
