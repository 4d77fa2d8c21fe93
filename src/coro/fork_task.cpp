#include <exec/coro/fork_task.hpp>

namespace coex::inline v0::detail {

constinit thread_local const void* forking_place = nullptr;

}  // namespace coex::inline v0::detail
