// expect: completes on the scheduler of whoever waits for it
#include <exec/algo/counting_scope.hpp>

void mistake(coex::counting_scope& scope) {
    static_cast<void>(coex::get_completion_signatures<coex::detail::join_sender, coex::env<>>());
    static_cast<void>(scope);
}
