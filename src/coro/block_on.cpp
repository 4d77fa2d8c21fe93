#include <exec/coro/block_on.hpp>

#include <exec/base/exceptions.hpp>
#include <exec/vocab/result.hpp>

namespace coex::inline v0::detail {

outcome blocking_run::run(std::coroutine_handle<> coroutine, coroutine_base& base, completion& own,
                          inplace_stop_token token) {
    coroutine_ = coroutine;
    const outcome ended = base.start_inline(loop_, token, own);
    if (ended == outcome::none) {
        loop_.run();
        return own.ending;
    }
    if (ended == outcome::stopped) {
        destroy_coroutine();
    } else {
        coroutine_ = nullptr;
    }
    return ended;
}

coroutine_base* blocking_run::on_ended(completion* self, coroutine_base&, outcome ending) noexcept {
    auto& blocking = static_cast<blocking_run&>(*self->owner);
    if (ending == outcome::stopped) blocking.destroy_coroutine();
    self->ending = ending;
    // LIFETIME: as soon as finish() lets go of the loop, the blocked thread may destroy it and the coroutine.
    blocking.loop_.finish();
    return nullptr;
}

void throw_stopped() {
    detail::throw_exception(operation_stopped("block_on: the work was stopped before it had a result"));
}

}  // namespace coex::inline v0::detail
