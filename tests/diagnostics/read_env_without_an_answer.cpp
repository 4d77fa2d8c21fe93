// expect: has no answer to the query; provide one with write_env(sender, prop(query, value))
#include <exec/coro/task.hpp>
#include <exec/vocab/read_env.hpp>

coex::task<> mistake() {
    co_await coex::read_env(coex::get_delegation_scheduler);
}
