// expect: on(scheduler, ...) comes back to where it was started
#include <exec/algo/just.hpp>
#include <exec/algo/on.hpp>
#include <exec/vocab/scheduler.hpp>

struct receiver {
    using receiver_concept = coex::receiver_tag;
    void set_value() && noexcept {}
};

void mistake(coex::context_scheduler there) {
    auto operation = coex::connect(coex::on(there, coex::just()), receiver());
    operation.start();
}
