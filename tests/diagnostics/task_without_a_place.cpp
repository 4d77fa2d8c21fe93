// expect: its receiver's environment does not say on which execution context
#include <exec/coro/task.hpp>

struct receiver {
    using receiver_concept = coex::receiver_tag;
    void set_value() && noexcept {}
    void set_error(std::exception_ptr) && noexcept {}
    void set_stopped() && noexcept {}
};

void mistake(coex::task<> work) {
    auto operation = coex::connect(std::move(work), receiver());
    operation.start();
}
