#pragma once

#include <cstddef>

extern "C" {
void* coex_bench_rayon_new(std::size_t threads);
void coex_bench_rayon_delete(void* pool);
long coex_bench_rayon_fib(void* pool, long n);
void coex_bench_rayon_spawn(void* pool, void (*run)(void*), void* argument);
double coex_bench_rayon_sum_of_roots(void* pool, const double* data, std::size_t count);
void coex_bench_rayon_for(void* pool, std::size_t count, void (*run)(void*, std::size_t), void* argument);
}

namespace coex_bench {

/// Rayon's pool, through the library that `rayon/` makes of Debian's packages of its source.
class rayon_pool {
public:
    explicit rayon_pool(std::size_t threads) : pool_(coex_bench_rayon_new(threads)) {}
    rayon_pool(const rayon_pool&) = delete;
    rayon_pool& operator=(const rayon_pool&) = delete;
    ~rayon_pool() { coex_bench_rayon_delete(pool_); }

    long fib(long n) { return coex_bench_rayon_fib(pool_, n); }
    void spawn(void (*run)(void*), void* argument) { coex_bench_rayon_spawn(pool_, run, argument); }
    double sum_of_roots(const double* data, std::size_t count) {
        return coex_bench_rayon_sum_of_roots(pool_, data, count);
    }
    template <class F>
    void parallel_for(std::size_t count, const F& f) {
        const auto run = [](void* each, std::size_t i) { (**static_cast<const F**>(each))(i); };
        const F* function = &f;
        coex_bench_rayon_for(pool_, count, run, &function);
    }

private:
    void* pool_;
};

}  // namespace coex_bench
