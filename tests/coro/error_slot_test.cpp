#include <exec/coro/error_slot.hpp>

#include "coro/support.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <utility>

namespace {

using coex::set_error_t;
using coex_test::counted;

struct told {
    using receiver_concept = coex::receiver_tag;
    std::string* what;
    void set_error(counted error) && noexcept { *what = "counted " + std::to_string(error.value); }
    void set_error(int error) && noexcept { *what = "int " + std::to_string(error); }
};

template <class Slot>
std::string told_by(Slot& slot) {
    std::string what = "nothing";
    told receiver{&what};
    const bool sent = slot.send_to(receiver);
    EXPECT_EQ(sent, what != "nothing");
    return what;
}

TEST(error_slot, sends_the_error_that_it_holds) {
    using slot = coex::detail::error_slot<
        coex::completion_signatures<set_error_t(std::exception_ptr), set_error_t(int), set_error_t(counted)>>;
    slot empty;
    EXPECT_EQ(told_by(empty), "nothing");
    slot number;
    number.emplace(3);
    EXPECT_EQ(told_by(number), "int 3");
    slot object;
    object.emplace(counted(4));
    EXPECT_EQ(told_by(object), "counted 4");
}

TEST(error_slot, destroys_what_it_holds_once_also_when_a_type_is_listed_twice) {
    {
        coex::detail::error_slot<coex::completion_signatures<set_error_t(counted), set_error_t(const counted&)>> slot;
        slot.emplace(counted(1));
        EXPECT_EQ(counted::live, 1);
    }
    EXPECT_EQ(counted::live, 0);
}

}  // namespace
