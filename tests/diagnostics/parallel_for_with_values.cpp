// expect: let each write its own into an array of the caller's, or use when_all
#include <exec/coro/block_on.hpp>
#include <exec/coro/parallel_for.hpp>

coex::task<int> gives_a_number(int i) {
    co_return i;
}

void mistake() {
    coex::block_on(coex::parallel_for(0, 3, gives_a_number));
}
