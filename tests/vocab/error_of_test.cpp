#include <exec/vocab/error_of.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>

namespace {

using coex::error_code_of;
using coex::error_message_of;

template <class Error>
std::exception_ptr of(Error error) {
    return std::make_exception_ptr(error);
}

TEST(error_code_of, a_system_error_is_its_code_in_its_category) {
    EXPECT_EQ(error_code_of(of(std::system_error(7, std::generic_category(), "text"))),
              std::error_code(7, std::generic_category()));
    EXPECT_EQ(error_code_of(of(std::system_error(7, std::system_category()))),
              std::error_code(7, std::system_category()));
}

TEST(error_code_of, an_exception_derived_from_a_system_error_is_found) {
    struct derived : std::system_error {
        using std::system_error::system_error;
    };
    EXPECT_EQ(error_code_of(of(derived(std::make_error_code(std::errc::timed_out)))), std::errc::timed_out);
}

TEST(error_code_of, other_exceptions_have_the_code_that_comes_closest) {
    EXPECT_EQ(error_code_of(of(std::bad_alloc())), std::errc::not_enough_memory);
    EXPECT_EQ(error_code_of(of(std::invalid_argument("x"))), std::errc::invalid_argument);
    EXPECT_EQ(error_code_of(of(std::runtime_error("x"))), std::errc::state_not_recoverable);
    EXPECT_EQ(error_code_of(of(5)), std::errc::state_not_recoverable);
}

TEST(error_message_of, is_what_the_exception_says) {
    EXPECT_EQ(error_message_of(of(std::runtime_error("own"))), "own");
    EXPECT_EQ(error_message_of(of(5)), "unknown exception");
}

TEST(error_of, null_is_no_error) {
    EXPECT_FALSE(error_code_of(nullptr));
    EXPECT_EQ(error_message_of(nullptr), "");
}

}  // namespace
