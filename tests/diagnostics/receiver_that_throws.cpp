// expect: a receiver's set_value may throw, and nobody could take what it throws; declare it noexcept
#include <exec/algo/just.hpp>

struct receiver {
    using receiver_concept = coex::receiver_tag;
    void set_value() && {}
};

void mistake() {
    auto operation = coex::connect(coex::just(), receiver());
    operation.start();
}
