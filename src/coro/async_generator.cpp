#include <exec/coro/async_generator.hpp>

#include <exec/base/config.hpp>

namespace coex::inline v0::detail {

COEX_NOINLINE bool generator_step::run(coroutine_base& generator, coroutine_base& consumer) noexcept {
    consumer_ = &consumer;
    generator.reattach(false);  // each step is started afresh, at the consumer's place
    outcome ended = generator.start_inline(consumer.context(), consumer.stop_token(), *this);
    if (ended == outcome::stopped) {
        destroy_generator();
    } else if (ended == outcome::none) {
        const bool former = consumer.detach();
        // ORDER: acq_rel; pairs with the exchange in on_step_ended() [C3]: whoever comes second sees the other's
        //   writes. LIFETIME: when the consumer waits, it may be running, or gone, with this awaiter in its frame.
        if (meeting_.exchange(meeting::consumer_waits, std::memory_order_acq_rel) != meeting::step_ended) return true;
        consumer.reattach(former);
        ended = this->ending;
    }
    if (ended != outcome::stopped) return false;
    consumer.unwind_here();
    return true;
}

coroutine_base* generator_step::on_step_ended(completion* self, coroutine_base& generator, outcome ending) noexcept {
    auto& step = static_cast<generator_step&>(*self);
    coroutine_base& consumer = *step.consumer_;
    const execution_context* const place = &generator.context();
    if (ending == outcome::stopped) step.destroy_generator();
    self->ending = ending;
    // ORDER: acq_rel; pairs with the exchange in run() [C3].
    if (step.meeting_.exchange(meeting::step_ended, std::memory_order_acq_rel) != meeting::consumer_waits)
        return nullptr;
    if (place == &consumer.context()) return &consumer;
    consumer.continue_later(ending);
    return nullptr;
}

}  // namespace coex::inline v0::detail
