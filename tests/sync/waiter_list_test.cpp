#include <exec/sync/waiter_list.hpp>

#include <exec/coro/coroutine_base.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <vector>

namespace {

using coex::work_item;
using coex::detail::waiter_list;

class named final : public coex::detail::leaving_waiter {
public:
    named(int number, std::vector<int>& told) : leaving_waiter(&named::tell), number_(number), told_(told) {}
    [[nodiscard]] int number() const { return number_; }

private:
    static void tell(work_item* self) noexcept {
        auto& here = *static_cast<named*>(self);
        here.told_.push_back(here.number_);
    }
    int number_;
    std::vector<int>& told_;
};

int pop(waiter_list& list) {
    work_item* const first = list.pop_front();
    return first == nullptr ? -1 : static_cast<named*>(first)->number();
}

struct waiter_list_of_four : testing::Test {
    std::vector<int> told;
    named zero{0, told}, one{1, told}, two{2, told}, three{3, told};
    std::array<named*, 4> all{&zero, &one, &two, &three};
    waiter_list list;

    void SetUp() override {
        for (named* each : all) ASSERT_TRUE(list.try_push_back(*each));
    }
};

TEST_F(waiter_list_of_four, gives_them_in_the_order_in_which_they_came) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(pop(list), i);
    EXPECT_EQ(pop(list), -1);
    EXPECT_TRUE(list.empty());
}

TEST_F(waiter_list_of_four, lets_the_first_the_last_and_one_between_leave) {
    EXPECT_TRUE(list.remove(zero));
    EXPECT_TRUE(list.remove(two));
    EXPECT_TRUE(list.remove(three));
    EXPECT_EQ(pop(list), 1);
    EXPECT_TRUE(list.empty());
}

TEST_F(waiter_list_of_four, does_not_let_one_leave_that_was_taken) {
    EXPECT_EQ(pop(list), 0);
    EXPECT_FALSE(list.remove(zero));
    work_item* const rest = list.take_all();
    EXPECT_TRUE(list.empty());
    for (named* each : all) EXPECT_FALSE(list.remove(*each));
    waiter_list::tell_all(rest);
    EXPECT_EQ(told, (std::vector<int>{1, 2, 3}));
}

TEST_F(waiter_list_of_four, does_not_let_one_enter_that_has_left) {
    named late(4, told);
    EXPECT_FALSE(list.remove(late));
    EXPECT_FALSE(list.try_push_back(late));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(pop(list), i);
    EXPECT_TRUE(list.empty());
}

TEST_F(waiter_list_of_four, takes_new_waiters_after_all_were_taken) {
    work_item* const former = list.take_all();
    named next(9, told);
    ASSERT_TRUE(list.try_push_back(next));
    EXPECT_FALSE(list.remove(one)) << "of the former round";
    EXPECT_TRUE(list.remove(next));
    EXPECT_TRUE(list.empty());
    waiter_list::tell_all(former);
    EXPECT_EQ(told.size(), 4U);
}

class unstoppable final : public coex::coroutine_base {};

// Against a plain model: waiters of both kinds come, leave and are taken at random.
TEST(waiter_list, keeps_its_order_whoever_leaves) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::minstd_rand random(seed);
    std::vector<int> told;
    std::vector<std::unique_ptr<named>> leaving;
    std::vector<std::unique_ptr<unstoppable>> staying;
    std::vector<work_item*> model;
    waiter_list list;
    for (int i = 0; i < 20'000; ++i) {
        const auto choice = random() % 8;
        if (choice < 2) {
            leaving.push_back(std::make_unique<named>(i, told));
            ASSERT_TRUE(list.try_push_back(*leaving.back()));
            model.push_back(leaving.back().get());
        } else if (choice < 4) {
            staying.push_back(std::make_unique<unstoppable>());
            ASSERT_TRUE(list.try_push_back(waiter_list::as_waiter(*staying.back())));
            model.push_back(staying.back().get());
        } else if (choice < 6 && !leaving.empty()) {
            named& any = *leaving[random() % leaving.size()];
            const auto at = std::find(model.begin(), model.end(), &any);
            ASSERT_EQ(list.remove(any), at != model.end());
            if (at != model.end()) model.erase(at);
        } else if (choice == 6) {
            work_item* const first = list.pop_front();
            ASSERT_EQ(first, model.empty() ? nullptr : model.front());
            if (!model.empty()) model.erase(model.begin());
        } else if (random() % 32 == 0) {
            work_item* each = list.take_all();
            for (work_item* expected : model) {
                ASSERT_EQ(each, expected);
                each = each->next;
            }
            ASSERT_EQ(each, nullptr);
            model.clear();
        }
        ASSERT_EQ(list.empty(), model.empty());
    }
}

}  // namespace
