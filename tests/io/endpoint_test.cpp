#include <exec/io/endpoint.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace {

using coex::address_family;
using coex::endpoint;

std::string error_of(const std::string& text) {
    try {
        static_cast<void>(endpoint::parse(text));
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "accepted";
}

TEST(endpoint, prints_what_it_parsed) {
    for (const std::string text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:443", "[::]:0",
                                   "[2001:db8::7]:8080", "unix:/run/service.sock", "unix:relative", "unix:@abstract"}) {
        EXPECT_EQ(endpoint::parse(text).to_string(), text);
    }
}

TEST(endpoint, knows_family_port_and_path) {
    EXPECT_EQ(endpoint::parse("10.0.0.1:99").family(), address_family::ipv4);
    EXPECT_EQ(endpoint::parse("10.0.0.1:99").port(), 99);
    EXPECT_EQ(endpoint::parse("[::1]:98").family(), address_family::ipv6);
    EXPECT_EQ(endpoint::parse("[::1]:98").port(), 98);
    const endpoint local = endpoint::local("/tmp/x");
    EXPECT_EQ(local.family(), address_family::local);
    EXPECT_EQ(local.path(), "/tmp/x");
    EXPECT_EQ(local.port(), 0);
    EXPECT_EQ(endpoint::local("@hidden").path(), "@hidden");
}

TEST(endpoint, loopback_and_any_exist_in_both_families) {
    EXPECT_EQ(endpoint::loopback(7).to_string(), "127.0.0.1:7");
    EXPECT_EQ(endpoint::loopback(7, address_family::ipv6).to_string(), "[::1]:7");
    EXPECT_EQ(endpoint::any(7).to_string(), "0.0.0.0:7");
    EXPECT_EQ(endpoint::any(7, address_family::ipv6).to_string(), "[::]:7");
}

TEST(endpoint, a_default_one_is_no_address) {
    EXPECT_EQ(endpoint().family(), address_family::unspecified);
    EXPECT_EQ(endpoint().to_string(), "unnamed");
    EXPECT_EQ(endpoint(), endpoint());
}

TEST(endpoint, is_equal_to_the_same_address_only) {
    EXPECT_EQ(endpoint::loopback(1), endpoint::parse("127.0.0.1:1"));
    EXPECT_NE(endpoint::loopback(1), endpoint::loopback(2));
    EXPECT_NE(endpoint::loopback(1), endpoint::any(1));
    EXPECT_NE(endpoint::loopback(1), endpoint::loopback(1, address_family::ipv6));
    EXPECT_EQ(endpoint::local("a"), endpoint::local("a"));
    EXPECT_NE(endpoint::local("a"), endpoint::local("@a"));
}

TEST(endpoint, a_zone_is_an_interface_or_its_number) {
    EXPECT_EQ(endpoint::parse("[fe80::1%lo]:5").to_string(), "[fe80::1%1]:5");
    EXPECT_EQ(endpoint::parse("[fe80::1%1]:5"), endpoint::parse("[fe80::1%lo]:5"));
    EXPECT_NE(error_of("[fe80::1%nosuch0]:5").find("no network interface 'nosuch0'"), std::string::npos);
}

TEST(endpoint, a_malformed_text_is_refused_with_the_reason) {
    EXPECT_NE(error_of("127.0.0.1").find("port are missing"), std::string::npos);
    EXPECT_NE(error_of("127.0.0.1:").find("not a number"), std::string::npos);
    EXPECT_NE(error_of("127.0.0.1:http").find("not a number"), std::string::npos);
    EXPECT_NE(error_of("127.0.0.1:-1").find("not a number"), std::string::npos);
    EXPECT_NE(error_of("127.0.0.1:65536").find("above 65535"), std::string::npos);
    EXPECT_NE(error_of("localhost:80").find("names are not looked up"), std::string::npos);
    EXPECT_NE(error_of("::1:80").find("must stand in brackets"), std::string::npos);
    EXPECT_NE(error_of("[::1").find("']'"), std::string::npos);
    EXPECT_NE(error_of("[::1]80").find("after ']'"), std::string::npos);
    EXPECT_NE(error_of("[127.0.0.1]:80").find("no IPv6 address"), std::string::npos);
    EXPECT_NE(error_of("").find("missing"), std::string::npos);
}

TEST(endpoint, a_bad_path_is_refused_with_the_reason) {
    EXPECT_NE(error_of("unix:").find("empty"), std::string::npos);
    EXPECT_NE(error_of("unix:" + std::string(108, 'x')).find("108 bytes, at most 107"), std::string::npos);
    EXPECT_NE(error_of(std::string("unix:a\0b", 8)).find("zero byte"), std::string::npos);
    EXPECT_EQ(endpoint::local(std::string(107, 'x')).path(), std::string(107, 'x'));
}

}  // namespace
