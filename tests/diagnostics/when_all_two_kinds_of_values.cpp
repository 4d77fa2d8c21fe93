// expect: wrap it in into_variant(...), or use when_all_with_variant
#include <exec/algo/just.hpp>
#include <exec/algo/when_all.hpp>
#include <exec/coro/sync_wait.hpp>

struct two_kinds {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int), coex::set_value_t(char)>;
};

void mistake() {
    static_cast<void>(coex::sync_wait(coex::when_all(coex::just(1), two_kinds())));
}
