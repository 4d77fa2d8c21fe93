// expect: can complete with different kinds of values, so co_await has no one type to give; await into_variant(sender)
#include <exec/coro/task.hpp>
#include <exec/vocab/completion_signatures.hpp>

struct two_kinds {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int), coex::set_value_t(char)>;
};

coex::task<> mistake() {
    co_await two_kinds();
}
