// expect: can complete in a way that is not among those listed
#include <exec/algo/any_sender_of.hpp>
#include <exec/algo/just.hpp>

void mistake() {
    const coex::any_sender_of<coex::set_value_t(int)> sender(coex::just_stopped());
    static_cast<void>(sender);
}
