#include "device/machine.hpp"
#include "support/threads.hpp"

#include <gtest/gtest.h>
#include <exec/device/resource_pools.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using coex::device_class;
using coex::resource_pools;
using coex_test::machine;

std::uint64_t dev(const char* number) {
    return machine::parse(number);
}

/// Sets COEX_DEVICES for a test.
class devices_variable {
public:
    explicit devices_variable(const char* text) { ::setenv("COEX_DEVICES", text, 1); }
    ~devices_variable() { ::unsetenv("COEX_DEVICES"); }
};

std::string refusal(const char* text) {
    const devices_variable variable(text);
    try {
        const resource_pools pools(machine().options());
        return "accepted";
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

TEST(resource_pools, unused_devices_start_no_threads) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "1");
    pc.mount("8:0", "/", "ext4", "/dev/sda");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.device_of(dev("8:0")).kind, device_class::hdd);
    EXPECT_EQ(coex_test::threads_named("sda/"), 0U);
    EXPECT_EQ(pools.for_dev(dev("8:0")).submit([] { return coex_test::threads_named("sda/"); }).get(), 1U);
}

TEST(resource_pools, a_path_that_does_not_exist_lies_where_its_directory_lies) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "0");
    pc.place("/data", "8:0");
    resource_pools pools(pc.options());
    EXPECT_EQ(pools.class_of("/data/new/file"), device_class::ssd);
    EXPECT_EQ(pools.for_path("/data/new/file").name(), "sda");
}

TEST(resource_pools, a_path_without_any_ancestor_is_an_error_that_names_it) {
    resource_pools pools(machine().options());
    try {
        static_cast<void>(pools.class_of("/nowhere/file"));
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_NE(std::string(error.what()).find("/nowhere/file"), std::string::npos);
        EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    }
}

TEST(resource_pools, the_environment_overrides_what_was_found) {
    machine guest;
    guest.disk("pci/virtio1/block/vda", "254:0", "1");
    const devices_variable variable("ssd:threads=3,depth=20;vda:class=ssd,depth=16");
    resource_pools pools(guest.options());
    const coex::storage_device& disk = pools.device_of(dev("254:0"));
    EXPECT_EQ(disk.kind, device_class::ssd);
    EXPECT_EQ(disk.threads, 3U) << "from the class";
    EXPECT_EQ(disk.in_flight, 16U) << "the device beats its class";
    EXPECT_NE(disk.explain().find("overridden"), std::string::npos);
}

TEST(resource_pools, an_option_beats_the_environment) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "1");
    const devices_variable variable("sda:depth=2");
    coex::resource_options options = pc.options();
    options.overrides = {{.name = "sda", .in_flight = 4}};
    resource_pools pools(options);
    EXPECT_EQ(pools.device_of(dev("8:0")).in_flight, 4U);
}

TEST(resource_pools, a_malformed_variable_is_refused_with_its_cure) {
    EXPECT_NE(refusal("nonsense").find("has no NAME before a ':'"), std::string::npos);
    EXPECT_NE(refusal("sda:speed=3").find("unknown key \"speed\""), std::string::npos);
    EXPECT_NE(refusal("sda:threads=0").find("not a number from 1"), std::string::npos);
    EXPECT_NE(refusal("sda:threads=x").find("\"x\" is not a number"), std::string::npos);
    EXPECT_NE(refusal("sda:class=fast").find("\"fast\" is no class"), std::string::npos);
    EXPECT_NE(refusal("ssd:class=hdd").find("a class cannot be given another class"), std::string::npos);
    EXPECT_EQ(refusal(""), "accepted");
}

TEST(resource_pools, an_entry_that_sets_nothing_is_refused) {
    EXPECT_NE(refusal("sda:").find("sets nothing"), std::string::npos);
    EXPECT_NE(refusal("sda:class=ssd:threads=2").find("\"ssd:threads=2\" is no class"), std::string::npos);
}

TEST(resource_pools, the_override_that_explain_proposes_is_accepted_for_names_with_colons) {
    machine pc;
    pc.mount("0:60", "/mnt/share", "nfs4", "server:/export");
    const devices_variable variable("server:/export:class=ssd,threads=2,depth=32;dev-8:1:class=ssd,threads=2,depth=32");
    resource_pools pools(pc.options());
    for (const char* number : {"0:60", "8:1"}) {
        const coex::storage_device& device = pools.device_of(dev(number));
        EXPECT_EQ(device.kind, device_class::ssd) << number;
        EXPECT_EQ(device.in_flight, 32U) << number;
        EXPECT_NE(device.explain().find(device.name + ":class=ssd,threads=2,depth=32"), std::string::npos);
    }
}

TEST(resource_pools, an_override_that_meets_no_device_is_told) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "1");
    pc.mount("8:0", "/", "ext4", "/dev/sda");
    const devices_variable variable("sdda:depth=2;sda:depth=2;nvme:depth=2");
    const std::string text = resource_pools(pc.options()).explain();
    EXPECT_NE(text.find("override for \"sdda\" has no effect"), std::string::npos);
    EXPECT_EQ(text.find("override for \"sda\""), std::string::npos);
    EXPECT_EQ(text.find("override for \"nvme\""), std::string::npos);
}

TEST(resource_pools, threads_that_ask_at_once_get_the_same_pool) {
    machine pc;
    pc.disk("pci/ata1/block/sda", "8:0", "0");
    resource_pools pools(pc.options());
    std::vector<coex::static_thread_pool*> seen(8);
    std::vector<std::thread> threads;
    for (auto& each : seen) threads.emplace_back([&pools, &each] { each = &pools.for_dev(dev("8:0")); });
    for (std::thread& each : threads) each.join();
    for (const auto* each : seen) EXPECT_EQ(each, seen[0]);
}

TEST(resource_pools, references_to_devices_stay_valid_while_others_are_found) {
    machine server;
    for (int i = 0; i < 40; ++i) {
        const std::string name = "sd" + std::string(1, static_cast<char>('a' + i % 26)) + std::to_string(i);
        server.disk("pci/scsi/block/" + name, "8:" + std::to_string(i * 16), "1");
    }
    resource_pools pools(server.options());
    const coex::storage_device& first = pools.device_of(dev("8:0"));
    const std::string name = first.name;
    for (int i = 1; i < 40; ++i) {
        static_cast<void>(pools.device_of(machine::parse("8:" + std::to_string(i * 16))));
    }
    EXPECT_EQ(first.name, name);
    EXPECT_EQ(pools.devices().size(), 40U);
}

TEST(resource_pools, this_machine_is_understood) {
    resource_pools pools;
    const coex::storage_device& root = pools.device_of(std::filesystem::path("/"));
    EXPECT_FALSE(root.name.empty());
    EXPECT_FALSE(root.reasons.empty());
    EXPECT_NE(pools.explain().find(root.name), std::string::npos);
    EXPECT_GE(pools.cpu().thread_count(), 1U);
    EXPECT_EQ(&pools.cpu(), &pools.cpu());
}

}  // namespace
