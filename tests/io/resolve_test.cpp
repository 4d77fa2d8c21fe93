#include <exec/io/resolve.hpp>

#include "io/socket_support.hpp"

#include <netdb.h>

namespace {

using coex::endpoint;
using coex::resolve;
using coex::static_thread_pool;
using coex::task;
using coex_test::failure_of;
using coex_test::run_on;

task<std::vector<endpoint>> addresses(std::string host, std::string service,
                                      coex::address_family family = coex::address_family::unspecified) {
    co_return co_await resolve(host, service, family);
}

TEST(resolve, names_and_addresses_become_endpoints) {
    static_thread_pool pool{{.threads = 1}};
    EXPECT_EQ(run_on(pool, addresses("127.0.0.1", "80")), std::vector{endpoint::parse("127.0.0.1:80")});
    EXPECT_EQ(run_on(pool, addresses("::1", "")), std::vector{endpoint::parse("[::1]:0")});
    EXPECT_EQ(run_on(pool, addresses("localhost", "80", coex::address_family::ipv4)),
              std::vector{endpoint::parse("127.0.0.1:80")});
}

TEST(resolve, a_name_without_address_is_an_error_that_says_which) {
    static_thread_pool pool{{.threads = 1}};
    const auto [code, what] = failure_of(pool, addresses("not an address", "80"));
    EXPECT_EQ(&code.category(), &coex::resolve_category());
    EXPECT_EQ(what.find("resolve not an address:80: "), 0U) << what;
    EXPECT_EQ(failure_of(pool, addresses("127.0.0.1", "no such service")).first,
              std::error_code(EAI_SERVICE, coex::resolve_category()));
}

TEST(resolve, a_number_that_is_no_port_is_an_error_and_not_another_port) {
    static_thread_pool pool{{.threads = 1}};
    EXPECT_EQ(run_on(pool, addresses("127.0.0.1", "65535")), std::vector{endpoint::parse("127.0.0.1:65535")});
    for (const char* const service : {"65536", "99999", "-1", "99999999999999999999"}) {
        const auto [code, what] = failure_of(pool, addresses("127.0.0.1", service));
        EXPECT_EQ(code, std::error_code(EAI_SERVICE, coex::resolve_category())) << service;
        EXPECT_EQ(what.find("resolve 127.0.0.1:" + std::string(service) + ": "), 0U) << what;
    }
}

}  // namespace
