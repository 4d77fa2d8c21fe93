// expect: it is not known how this sender completes in a task
#include <exec/coro/task.hpp>
#include <exec/vocab/sender.hpp>

struct silent {
    using sender_concept = coex::sender_tag;
};

coex::task<> mistake() {
    co_await silent();
}
