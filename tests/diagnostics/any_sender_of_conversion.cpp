// expect: nor converted to one without exceptions
#include <exec/algo/any_sender_of.hpp>
#include <exec/algo/just.hpp>

#include <string>

void mistake() {
    const coex::any_sender_of<coex::set_value_t(std::string)> sender(
        coex::just("a string of which the memory may be lacking"));
    static_cast<void>(sender);
}
