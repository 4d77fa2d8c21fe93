#include "device/machine.hpp"

#include <gtest/gtest.h>

#include <string>

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

TEST(discovery, two_partitions_of_a_hard_disk_are_one_device_with_one_operation_in_flight) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "1");
    pc.partition("pci/ata1/block/sda", "sda1", "8:1");
    pc.partition("pci/ata1/block/sda", "sda2", "8:2");
    pc.mount("8:1", "/", "ext4", "/dev/sda1");
    pc.mount("8:2", "/home", "ext4", "/dev/sda2");
    resource_pools pools(pc.options());
    const coex::storage_device& disk = pools.device_of(dev("8:1"));
    EXPECT_EQ(&disk, &pools.device_of(dev("8:2")));
    EXPECT_EQ(&pools.for_dev(dev("8:1")), &pools.for_dev(dev("8:2")));
    EXPECT_EQ(disk.name, "sda");
    EXPECT_EQ(disk.kind, device_class::hdd);
    EXPECT_EQ(disk.threads, 1U);
    EXPECT_EQ(disk.in_flight, 1U);
    EXPECT_EQ(disk.mount_points, (std::vector<std::string>{"/", "/home"}));
    EXPECT_TRUE(mentions(disk, "sda1 is a partition of sda"));
    EXPECT_TRUE(mentions(disk, "it spins"));
    EXPECT_EQ(pools.devices().size(), 1U);
}

TEST(discovery, a_sata_ssd_gets_its_queue_depth) {
    machine pc;
    pc.disk("pci/ata2/block/sdb", "8:16", "0", 31);
    resource_pools pools(pc.options());
    const coex::storage_device& disk = pools.device_of(dev("8:16"));
    EXPECT_EQ(disk.kind, device_class::ssd);
    EXPECT_EQ(disk.in_flight, 31U);
}

TEST(discovery, disks_whose_names_begin_alike_are_not_merged) {
    machine server;
    server.disk("pci/scsi/block/sda", "8:0", "1");
    server.disk("pci/scsi/block/sdaa", "65:160", "1");
    server.partition("pci/scsi/block/sdaa", "sdaa1", "65:161");
    resource_pools pools(server.options());
    EXPECT_EQ(pools.device_of(dev("65:161")).name, "sdaa");
    EXPECT_NE(&pools.device_of(dev("8:0")), &pools.device_of(dev("65:161")));
}

TEST(discovery, namespaces_of_one_nvme_controller_share_a_device) {
    machine server;
    server.disk("pci/nvme/nvme0/nvme0n1", "259:0", "0", 1023);
    server.disk("pci/nvme/nvme0/nvme0n2", "259:5", "0", 1023);
    server.partition("pci/nvme/nvme0/nvme0n1", "nvme0n1p3", "259:3");
    server.disk("pci/nvme/nvme1/nvme1n1", "259:8", "0", 1023);
    resource_pools pools(server.options());
    EXPECT_EQ(pools.device_of(dev("259:3")).name, "nvme0");
    EXPECT_EQ(pools.device_of(dev("259:3")).kind, device_class::nvme);
    EXPECT_EQ(&pools.device_of(dev("259:3")), &pools.device_of(dev("259:5")));
    EXPECT_NE(&pools.device_of(dev("259:3")), &pools.device_of(dev("259:8")));
    EXPECT_EQ(pools.device_of(dev("259:8")).in_flight, 128U);
}

TEST(discovery, a_logical_volume_over_two_disks_is_a_device_of_the_slower_ones_class) {
    machine server;
    server.disk("pci/ata1/block/sda", "8:0", "0");
    server.disk("pci/ata2/block/sdb", "8:16", "1");
    server.volume("dm-0", "253:0", {"sda", "sdb"}, "vg-data");
    server.volume("dm-1", "253:1", {"sda", "sdb"}, "vg-more");
    resource_pools pools(server.options());
    const coex::storage_device& volume = pools.device_of(dev("253:0"));
    EXPECT_EQ(volume.name, "sda+sdb");
    EXPECT_EQ(volume.kind, device_class::hdd);
    EXPECT_EQ(volume.members, (std::vector<std::string>{"sda", "sdb"}));
    EXPECT_EQ(&volume, &pools.device_of(dev("253:1"))) << "two volumes over the same disks compete for them";
    EXPECT_TRUE(mentions(volume, "dm-0 (vg-data) is a volume over sda, sdb"));
}

TEST(discovery, two_logical_volumes_on_one_disk_are_that_disk) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "1");
    pc.partition("pci/ata1/block/sda", "sda3", "8:3");
    pc.volume("dm-0", "253:0", {"sda3"}, "vg-root");
    pc.volume("dm-1", "253:1", {"sda3"}, "vg-home");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("253:0")).name, "sda");
    EXPECT_EQ(&pools.device_of(dev("253:0")), &pools.device_of(dev("253:1")));
    EXPECT_EQ(&pools.device_of(dev("253:0")), &pools.device_of(dev("8:3")));
}

TEST(discovery, an_encrypted_volume_on_a_logical_volume_is_followed_down_to_its_disk) {
    machine laptop;
    laptop.disk("pci/nvme/nvme0/nvme0n1", "259:0", "0");
    laptop.partition("pci/nvme/nvme0/nvme0n1", "nvme0n1p2", "259:2");
    laptop.volume("dm-0", "253:0", {"nvme0n1p2"}, "luks-root");
    laptop.volume("dm-1", "253:1", {"dm-0"}, "vg-root");
    resource_pools pools(laptop.options());
    EXPECT_EQ(pools.device_of(dev("253:1")).name, "nvme0");
    EXPECT_EQ(pools.device_of(dev("253:1")).kind, device_class::nvme);
}

TEST(discovery, a_raid_over_partitions_of_two_disks_spans_the_disks) {
    machine server;
    server.disk("pci/ata1/block/sda", "8:0", "1");
    server.disk("pci/ata2/block/sdb", "8:16", "1");
    server.partition("pci/ata1/block/sda", "sda1", "8:1");
    server.partition("pci/ata2/block/sdb", "sdb1", "8:17");
    server.volume("md0", "9:0", {"sda1", "sdb1"});
    resource_pools pools(server.options());
    EXPECT_EQ(pools.device_of(dev("9:0")).name, "sda+sdb");
    EXPECT_EQ(pools.device_of(dev("9:0")).kind, device_class::hdd);
    EXPECT_NE(&pools.device_of(dev("9:0")), &pools.device_of(dev("8:1")));
}

TEST(discovery, a_virtual_disk_that_claims_to_spin_is_unknown_and_says_why) {
    machine guest;
    guest.disk("pci/virtio1/block/vda", "254:0", "1");
    guest.disk("pci/virtio2/block/vdb", "254:16", "0");
    resource_pools pools(guest.options());
    EXPECT_EQ(pools.device_of(dev("254:0")).kind, device_class::unknown);
    EXPECT_GT(pools.device_of(dev("254:0")).in_flight, 1U);
    EXPECT_TRUE(mentions(pools.device_of(dev("254:0")), "hypervisors say so"));
    EXPECT_EQ(pools.device_of(dev("254:16")).kind, device_class::ssd);
}

TEST(discovery, tmpfs_is_memory_without_a_limit) {
    machine pc;
    pc.mount("0:27", "/tmp", "tmpfs", "tmpfs");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:27")).kind, device_class::memory);
    EXPECT_EQ(pools.device_of(dev("0:27")).in_flight, 0U);
}

TEST(discovery, an_overlay_is_the_device_of_its_upper_layer) {
    machine host;
    host.disk("pci/ata1/block/sda", "8:0", "0");
    host.mount("0:51", "/", "overlay", "overlay", "rw,lowerdir=/lower:/base,upperdir=/var/lib/upper,workdir=/w");
    host.place("/var/lib/upper", "8:0");
    resource_pools pools(host.options());
    EXPECT_EQ(pools.device_of(dev("0:51")).name, "sda");
    EXPECT_TRUE(mentions(pools.device_of(dev("0:51")), "/var/lib/upper"));
}

TEST(discovery, an_overlay_root_whose_layers_are_hidden_is_unknown) {
    machine container;
    container.mount("0:51", "/", "overlay", "overlay", "rw,lowerdir=/l/A:/l/B,upperdir=/hidden,workdir=/w");
    resource_pools pools(container.options());
    EXPECT_EQ(pools.device_of(dev("0:51")).kind, device_class::unknown);
    EXPECT_TRUE(mentions(pools.device_of(dev("0:51")), "as is usual in a container"));
}

TEST(discovery, btrfs_is_the_device_of_its_source) {
    machine pc;
    pc.disk("pci/ata1/block/sdc", "8:32", "1");
    pc.partition("pci/ata1/block/sdc", "sdc1", "8:33");
    pc.mount("0:44", "/data", "btrfs", "/dev/sdc1", "rw,subvol=/@data", "/@data");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:44")).name, "sdc");
    EXPECT_EQ(pools.device_of(dev("0:44")).kind, device_class::hdd);
}

TEST(discovery, a_source_named_by_the_device_mapper_is_found_by_its_label) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "0");
    pc.volume("dm-2", "253:2", {"sda"}, "vg-data");
    pc.mount("0:45", "/data", "btrfs", "/dev/mapper/vg-data");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:45")).name, "sda");
}

TEST(discovery, a_network_file_system_is_network) {
    machine pc;
    pc.mount("0:60", "/mnt/share", "nfs4", "server:/export");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("0:60")).kind, device_class::network);
    EXPECT_EQ(pools.device_of(dev("0:60")).threads, 1U);
    EXPECT_EQ(pools.device_of(dev("0:60")).name, "server:/export");
}

TEST(discovery, a_loop_device_is_the_device_of_its_file) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "1");
    pc.disk("virtual/block/loop0", "7:0", "0");
    pc.write("sys/devices/virtual/block/loop0/loop/backing_file", "/images/disk.img");
    pc.place("/images/disk.img", "8:0");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("7:0")).name, "sda");
}

TEST(discovery, without_sysfs_everything_is_unknown_and_works) {
    machine bare;
    std::filesystem::remove_all(bare.root() / "sys");
    bare.mount("8:1", "/", "ext4", "/dev/sda1");
    resource_pools pools(bare.options());
    const coex::storage_device& device = pools.device_of(dev("8:1"));
    EXPECT_EQ(device.kind, device_class::unknown);
    EXPECT_TRUE(mentions(device, "sys/class/block does not know /dev/sda1"));
    EXPECT_GE(pools.for_dev(dev("8:1")).thread_count(), 1U);
}

TEST(discovery, without_proc_and_sysfs_a_number_is_still_a_device) {
    machine bare;
    std::filesystem::remove_all(bare.root() / "sys");
    std::filesystem::remove_all(bare.root() / "proc");
    resource_pools pools(bare.options());
    EXPECT_EQ(pools.device_of(dev("8:1")).kind, device_class::unknown);
    EXPECT_NE(&pools.device_of(dev("8:1")), &pools.device_of(dev("8:2"))) << "nothing says that they are the same";
}

TEST(discovery, malformed_files_are_no_error) {
    machine odd;
    odd.disk("pci/ata1/block/sda", "8:0", "perhaps");
    odd.write("sys/devices/pci/ata1/block/sda/queue/nr_requests", "many");
    odd.write("proc/self/mountinfo", "not a mount table\n1 2 x:y / / rw\n");
    resource_pools pools(odd.options());
    EXPECT_EQ(pools.device_of(dev("8:0")).kind, device_class::unknown);
    EXPECT_TRUE(mentions(pools.device_of(dev("8:0")), "rotational is \"perhaps\""));
}

TEST(discovery, a_volume_that_contains_itself_ends) {
    machine broken;
    broken.disk("pci/ata1/block/sda", "8:0", "1");
    broken.volume("dm-0", "253:0", {"sda"});
    std::filesystem::remove(broken.root() / "sys/devices/virtual/block/dm-0/slaves/sda");
    std::filesystem::create_symlink(broken.root() / "sys/devices/virtual/block/dm-0",
                                    broken.root() / "sys/devices/virtual/block/dm-0/slaves/dm-0");
    resource_pools pools(broken.options());
    EXPECT_EQ(pools.device_of(dev("253:0")).kind, device_class::unknown);
}

TEST(discovery, names_in_the_mount_table_may_hold_blanks) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "0");
    pc.mount("8:0", "/mnt/my\\040disk", "ext4", "/dev/sda");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("8:0")).mount_points, (std::vector<std::string>{"/mnt/my disk"}));
}

TEST(discovery, an_encrypted_partition_is_the_disk_of_the_partition) {
    machine laptop;
    laptop.disk("pci/ata1/block/sda", "8:0", "0");
    laptop.partition("pci/ata1/block/sda", "sda2", "8:2");
    laptop.volume("dm-0", "253:0", {"sda2"}, "luks-home");
    resource_pools pools(laptop.options());
    EXPECT_EQ(pools.device_of(dev("253:0")).name, "sda");
    EXPECT_EQ(&pools.device_of(dev("253:0")), &pools.device_of(dev("8:2")));
}

TEST(discovery, a_volume_with_a_member_that_cannot_be_seen_is_not_the_disk_that_can) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "0");
    pc.volume("dm-0", "253:0", {"sda"});
    std::filesystem::create_symlink("/nowhere", pc.root() / "sys/devices/virtual/block/dm-0/slaves/sdz");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("253:0")).name, "sda+sdz");
    EXPECT_EQ(pools.device_of(dev("253:0")).kind, device_class::unknown);
    EXPECT_NE(&pools.device_of(dev("253:0")), &pools.device_of(dev("8:0")));
}

TEST(discovery, a_volume_over_things_that_are_no_disks_is_named_after_them) {
    machine pc;
    pc.disk("virtual/block/zram0", "252:0", "0");
    pc.disk("virtual/block/zram1", "252:1", "0");
    pc.volume("md0", "9:0", {"zram0", "zram1"});
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("9:0")).name, "zram0+zram1");
    EXPECT_EQ(pools.device_of(dev("9:0")).kind, device_class::memory);
}

}  // namespace
