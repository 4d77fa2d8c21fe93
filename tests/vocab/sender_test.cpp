#include <exec/vocab/sender.hpp>

#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/timer.hpp>
#include <exec/vocab/work_item.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace {

/// A place that runs its items when it is told to.
class manual_context final : public coex::execution_context {
public:
    void submit(coex::work_item* item) noexcept override { queue_.push_back(item); }
    [[nodiscard]] coex::timer_service& timers() noexcept override { std::abort(); }
    int run_all() {
        int count = 0;
        while (coex::work_item* item = queue_.pop_front()) {
            item->run(item);
            ++count;
        }
        return count;
    }

private:
    coex::work_queue queue_;
};

struct record {
    std::string what;
    int value = 0;
};

/// Writes down how it was completed.
struct recorder {
    using receiver_concept = coex::receiver_tag;

    record* into;

    void set_value() && noexcept { into->what += "value;"; }
    void set_value(int value) && noexcept {
        into->what += "value;";
        into->value = value;
    }
    template <class Error>
    void set_error(Error&&) && noexcept {
        into->what += "error;";
    }
    void set_stopped() && noexcept { into->what += "stopped;"; }
};

struct move_only_recorder : recorder {
    std::unique_ptr<int> token = std::make_unique<int>(1);
};

/// A sender that completes at once with a number.
struct just_int {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int)>;

    template <class Receiver>
    struct operation {
        using operation_state_concept = coex::operation_state_tag;
        int value;
        Receiver receiver;
        void start() & noexcept { coex::set_value(std::move(receiver), value); }
    };

    int value;

    template <coex::receiver Receiver>
    operation<std::remove_cvref_t<Receiver>> connect(Receiver&& receiver) const {
        return {value, std::forward<Receiver>(receiver)};
    }
};

static_assert(coex::sender<coex::schedule_sender>);
static_assert(coex::sender<const just_int&>);
static_assert(!coex::sender<int>);
static_assert(!coex::sender<recorder>);
static_assert(coex::receiver<recorder>);
static_assert(coex::receiver<move_only_recorder>);
static_assert(!coex::receiver<just_int>);
static_assert(coex::scheduler<coex::context_scheduler>);
static_assert(coex::scheduler<const coex::context_scheduler&>);
static_assert(!coex::scheduler<coex::schedule_sender>);
static_assert(coex::operation_state<coex::schedule_sender::operation<recorder>>);
static_assert(!std::copy_constructible<coex::schedule_sender::operation<recorder>>);
static_assert(!std::move_constructible<coex::schedule_sender::operation<recorder>>);
static_assert(
    std::same_as<coex::schedule_sender::completion_signatures, coex::completion_signatures<coex::set_value_t()>>,
    "scheduling can neither fail nor be stopped");

TEST(sender, a_sender_does_nothing_until_its_operation_is_started) {
    record seen;
    auto operation = coex::connect(just_int{5}, recorder{&seen});
    EXPECT_EQ(seen.what, "");
    coex::start(operation);
    EXPECT_EQ(seen.what, "value;");
    EXPECT_EQ(seen.value, 5);
}

TEST(sender, the_completions_reach_the_receiver) {
    record seen;
    coex::set_value(recorder{&seen});
    coex::set_error(recorder{&seen}, std::exception_ptr());
    coex::set_stopped(recorder{&seen});
    EXPECT_EQ(seen.what, "value;error;stopped;");
}

TEST(sender, a_scheduled_operation_completes_on_its_context_and_not_within_start) {
    manual_context context;
    record seen;
    const coex::context_scheduler handle(context);
    auto operation = coex::connect(coex::schedule(handle), recorder{&seen});
    EXPECT_EQ(context.run_all(), 0) << "connecting submits nothing";
    coex::start(operation);
    EXPECT_EQ(seen.what, "");
    EXPECT_EQ(context.run_all(), 1);
    EXPECT_EQ(seen.what, "value;");
}

TEST(sender, a_scheduled_operation_takes_a_move_only_receiver) {
    manual_context context;
    record seen;
    auto operation = coex::context_scheduler(context).schedule().connect(move_only_recorder{{&seen}});
    operation.start();
    context.run_all();
    EXPECT_EQ(seen.what, "value;");
}

TEST(sender, one_schedule_sender_may_be_connected_often) {
    manual_context context;
    record seen;
    const coex::schedule_sender sender = coex::context_scheduler(context).schedule();
    auto one = coex::connect(sender, recorder{&seen});
    auto two = coex::connect(sender, recorder{&seen});
    coex::start(one);
    coex::start(two);
    EXPECT_EQ(context.run_all(), 2);
    EXPECT_EQ(seen.what, "value;value;");
}

TEST(sender, schedulers_are_equal_when_their_contexts_are_the_same) {
    manual_context here;
    manual_context there;
    EXPECT_EQ(coex::context_scheduler(here), coex::context_scheduler(here));
    EXPECT_NE(coex::context_scheduler(here), coex::context_scheduler(there));
    EXPECT_EQ(&coex::context_scheduler(here).context(), &here);
}

struct item : coex::work_item {
    item() noexcept : coex::work_item([](coex::work_item*) noexcept {}) {}
};

TEST(work_queue, items_come_out_in_the_order_in_which_they_went_in) {
    coex::work_queue queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.pop_front(), nullptr);
    item one;
    item two;
    queue.push_back(&one);
    queue.push_back(&two);
    EXPECT_EQ(queue.pop_front(), &one);
    EXPECT_EQ(queue.pop_front(), &two);
    EXPECT_EQ(queue.pop_front(), nullptr);
    EXPECT_TRUE(queue.empty());
    queue.push_back(&one);
    EXPECT_EQ(queue.pop_front(), &one) << "an emptied queue can be used again";
}

TEST(work_queue, append_moves_everything_behind_what_is_there) {
    coex::work_queue queue;
    coex::work_queue other;
    queue.append(other);
    EXPECT_TRUE(queue.empty());
    item one;
    item two;
    item three;
    other.push_back(&one);
    queue.append(other);
    EXPECT_TRUE(other.empty());
    other.push_back(&two);
    other.push_back(&three);
    queue.append(other);
    EXPECT_EQ(queue.pop_front(), &one);
    EXPECT_EQ(queue.pop_front(), &two);
    EXPECT_EQ(queue.pop_front(), &three);
    EXPECT_EQ(other.pop_front(), nullptr);
}

}  // namespace
