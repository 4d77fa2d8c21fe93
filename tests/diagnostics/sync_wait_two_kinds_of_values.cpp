// expect: use sync_wait_with_variant
#include <exec/coro/sync_wait.hpp>

struct two_kinds {
    using sender_concept = coex::sender_tag;
    using completion_signatures = coex::completion_signatures<coex::set_value_t(int), coex::set_value_t(char)>;
};

void mistake() {
    static_cast<void>(coex::sync_wait(two_kinds()));
}
