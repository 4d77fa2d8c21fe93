// expect: this work completes with values, which nobody would get
#include <exec/algo/counting_scope.hpp>
#include <exec/algo/just.hpp>
#include <exec/algo/spawn.hpp>

void mistake(coex::counting_scope& scope) {
    coex::spawn(coex::just(1), scope.get_token());
}
