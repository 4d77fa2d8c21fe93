// Chains of senders on a pool, a loop by bulk, and tasks that await senders which are ready.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#if defined(COEX_BENCH_TBB)
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#endif
#if defined(COEX_BENCH_STDEXEC)
#include <exec/static_thread_pool.hpp>
#include <stdexec/execution.hpp>
#endif

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t chains = 10'000;  // in flight at once
constexpr std::size_t elements = 10'000'000;
constexpr int awaits = 1'000'000;

/// Counts what has completed. Each receiver counts for itself, as one counter would be all that is measured.
class arrivals {
public:
    arrivals() : places_(std::make_unique<place[]>(count)) {}
    void arrive(long value) noexcept {
        thread_local place& mine = places_[next_.fetch_add(1) % count];
        mine.sum.store(mine.sum.load(std::memory_order_relaxed) + value, std::memory_order_release);
    }
    void wait_for(long sum) const {
        while (total() != sum) std::this_thread::yield();
    }
    [[nodiscard]] long total() const noexcept {
        long all = 0;
        for (unsigned i = 0; i < count; ++i) all += places_[i].sum.load(std::memory_order_acquire);
        return all;
    }

private:
    static constexpr unsigned count = 64;
    struct alignas(128) place {
        std::atomic<long> sum{0};
    };
    std::unique_ptr<place[]> places_;
    std::atomic<unsigned> next_{0};
};
arrivals arrived;

/// Makes an operation in its final place.
template <class Make>
class made {
public:
    explicit made(Make make) : make_(std::move(make)) {}
    operator decltype(std::declval<Make&>()())() { return make_(); }

private:
    Make make_;
};

/// Starts operations that `connect` makes, and waits until each has sent 5.
template <class Connect, class Start>
void run_chains(benchmark::State& state, Connect connect, Start start) {
    using operation = decltype(connect());
    std::vector<std::optional<operation>> operations(chains);
    for (auto _ : state) {
        const long before = arrived.total();
        for (auto& each : operations) {
            each.emplace(made(connect));
            start(*each);
        }
        arrived.wait_for(before + 5 * static_cast<long>(chains));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<long>(chains));
}

constexpr auto zero = [] { return 0L; };
constexpr auto one_more = [](long value) { return value + 1; };

struct counting_receiver {
    using receiver_concept = coex::receiver_tag;
    void set_value(long value) && noexcept { arrived.arrive(value + 1); }
    template <class Error>
    void set_error(Error&&) && noexcept {
        std::terminate();
    }
    void set_stopped() && noexcept { std::terminate(); }
};

auto our_chain(coex::static_thread_pool& pool) {
    using coex::then;
    return pool.schedule() | then(zero) | then(one_more) | then(one_more) | then(one_more) | then(one_more);
}

void five_thens(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    run_chains(
        state, [&pool] { return coex::connect(our_chain(pool), counting_receiver()); },
        [](auto& operation) { coex::start(operation); });
}
BENCHMARK(five_thens)->Name("five_thens_on_a_pool/ours")->UseRealTime();

void five_calls(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    for (auto _ : state) {
        const long before = arrived.total();
        for (std::size_t i = 0; i < chains; ++i) {
            pool.post([] { arrived.arrive(one_more(one_more(one_more(one_more(zero())))) + 1); });
        }
        arrived.wait_for(before + 5 * static_cast<long>(chains));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<long>(chains));
}
BENCHMARK(five_calls)->Name("five_thens_on_a_pool/post_of_five_calls")->UseRealTime();

void wait_for_five_thens(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    for (auto _ : state) benchmark::DoNotOptimize(coex::sync_wait(our_chain(pool)));
}
BENCHMARK(wait_for_five_thens)->Name("sync_wait_for_five_thens/ours")->UseRealTime();

// A loop whose elements take next to no time, but that the compiler does not see through.
struct cheap {
    std::size_t* all;
    void operator()(std::size_t i) const noexcept {
        all[i] = i * i;
        benchmark::DoNotOptimize(all);
    }
};
struct cheapest {
    void operator()(std::size_t i) const noexcept { benchmark::DoNotOptimize(i); }
};

template <class Each>
Each each_of(std::vector<std::size_t>& memory) {
    if constexpr (std::is_empty_v<Each>) {
        return {};
    } else {
        memory.resize(elements);
        return {memory.data()};
    }
}

template <class Each>
void our_bulk(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 2}};
    std::vector<std::size_t> memory;
    const Each each = each_of<Each>(memory);
    for (auto _ : state) {
        benchmark::DoNotOptimize(coex::sync_wait(pool.schedule() | coex::bulk(coex::par, elements, each)));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<long>(elements));
}
BENCHMARK(our_bulk<cheapest>)->Name("bulk_of_10M_cheap_elements/ours")->UseRealTime();
BENCHMARK(our_bulk<cheap>)->Name("bulk_that_writes_80_MB/ours")->UseRealTime();

template <class Each>
void plain_loop(benchmark::State& state) {
    std::vector<std::size_t> memory;
    const Each each = each_of<Each>(memory);
    for (auto _ : state) {
        for (std::size_t i = 0; i < elements; ++i) each(i);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<long>(elements));
}
BENCHMARK(plain_loop<cheapest>)->Name("bulk_of_10M_cheap_elements/plain_loop")->UseRealTime();
BENCHMARK(plain_loop<cheap>)->Name("bulk_that_writes_80_MB/plain_loop")->UseRealTime();

coex::task<long> await_ready_senders(int count) {
    long sum = 0;
    for (int i = 0; i < count; ++i) {
        sum += co_await coex::just(i);
        benchmark::DoNotOptimize(sum);  // else the compiler computes the sum, and awaits nothing
    }
    co_return sum;
}

void awaiting(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(coex::sync_wait(await_ready_senders(awaits)));
    state.SetItemsProcessed(state.iterations() * awaits);
}
BENCHMARK(awaiting)->Name("await_1M_ready_senders/ours")->UseRealTime();

// What a step of the loop costs that the compiler cannot leave out.
void counting(benchmark::State& state) {
    for (auto _ : state) {
        long sum = 0;
        for (int i = 0; i < awaits; ++i) {
            sum += i;
            benchmark::DoNotOptimize(sum);
        }
    }
    state.SetItemsProcessed(state.iterations() * awaits);
}
BENCHMARK(counting)->Name("await_1M_ready_senders/plain_loop")->UseRealTime();

#if defined(COEX_BENCH_TBB)
template <class Each>
void tbb_loop(benchmark::State& state) {
    tbb::task_arena arena(2);
    std::vector<std::size_t> memory;
    const Each each = each_of<Each>(memory);
    for (auto _ : state) arena.execute([each] { tbb::parallel_for(std::size_t{0}, elements, each); });
    state.SetItemsProcessed(state.iterations() * static_cast<long>(elements));
}
BENCHMARK(tbb_loop<cheapest>)->Name("bulk_of_10M_cheap_elements/tbb_parallel_for")->UseRealTime();
BENCHMARK(tbb_loop<cheap>)->Name("bulk_that_writes_80_MB/tbb_parallel_for")->UseRealTime();
#endif

#if defined(COEX_BENCH_STDEXEC)
using stdexec_pool = experimental::execution::static_thread_pool;

struct stdexec_receiver : counting_receiver {
    using receiver_concept = stdexec::receiver_t;
};

auto stdexec_chain(stdexec_pool& pool) {
    using stdexec::then;
    return stdexec::schedule(pool.get_scheduler()) | then(zero) | then(one_more) | then(one_more) | then(one_more) |
           then(one_more);
}

void stdexec_five_thens(benchmark::State& state) {
    stdexec_pool pool(2);
    run_chains(
        state, [&pool] { return stdexec::connect(stdexec_chain(pool), stdexec_receiver()); },
        [](auto& operation) { stdexec::start(operation); });
}
BENCHMARK(stdexec_five_thens)->Name("five_thens_on_a_pool/stdexec")->UseRealTime();

void stdexec_wait_for_five_thens(benchmark::State& state) {
    stdexec_pool pool(2);
    for (auto _ : state) benchmark::DoNotOptimize(stdexec::sync_wait(stdexec_chain(pool)));
}
BENCHMARK(stdexec_wait_for_five_thens)->Name("sync_wait_for_five_thens/stdexec")->UseRealTime();

template <class Each>
void stdexec_bulk(benchmark::State& state) {
    stdexec_pool pool(2);
    std::vector<std::size_t> memory;
    const Each each = each_of<Each>(memory);
    for (auto _ : state) {
        stdexec::sync_wait(stdexec::schedule(pool.get_scheduler()) | stdexec::bulk(stdexec::par, elements, each));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<long>(elements));
}
BENCHMARK(stdexec_bulk<cheapest>)->Name("bulk_of_10M_cheap_elements/stdexec")->UseRealTime();
BENCHMARK(stdexec_bulk<cheap>)->Name("bulk_that_writes_80_MB/stdexec")->UseRealTime();
#endif

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
