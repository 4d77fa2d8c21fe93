//! What the benchmarks need of rayon, behind C functions: see `../../rayon.hpp`.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

#[no_mangle]
pub extern "C" fn coex_bench_rayon_new(threads: usize) -> *mut ThreadPool {
    Box::into_raw(Box::new(
        ThreadPoolBuilder::new().num_threads(threads).build().unwrap(),
    ))
}

/// # Safety
/// `pool` came from `coex_bench_rayon_new` and is not used any more.
#[no_mangle]
pub unsafe extern "C" fn coex_bench_rayon_delete(pool: *mut ThreadPool) {
    drop(Box::from_raw(pool));
}

fn fib(n: i64) -> i64 {
    if n < 2 {
        return n;
    }
    let (a, b) = rayon::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

#[no_mangle]
pub extern "C" fn coex_bench_rayon_fib(pool: &ThreadPool, n: i64) -> i64 {
    pool.install(|| fib(n))
}

struct Argument(*mut u8);
// What the caller hands over is for any thread.
unsafe impl Send for Argument {}

impl Argument {
    fn get(self) -> *mut u8 {
        self.0
    }
}

#[no_mangle]
pub extern "C" fn coex_bench_rayon_spawn(pool: &ThreadPool, run: extern "C" fn(*mut u8), argument: *mut u8) {
    let argument = Argument(argument);
    pool.spawn(move || run(argument.get()));
}

/// # Safety
/// `data` points to `count` numbers.
#[no_mangle]
pub unsafe extern "C" fn coex_bench_rayon_sum_of_roots(pool: &ThreadPool, data: *const f64, count: usize) -> f64 {
    let numbers = std::slice::from_raw_parts(data, count);
    pool.install(|| numbers.par_iter().map(|each| each.sqrt()).sum())
}

#[no_mangle]
pub extern "C" fn coex_bench_rayon_for(
    pool: &ThreadPool,
    count: usize,
    run: extern "C" fn(*mut u8, usize),
    argument: *mut u8,
) {
    let address = argument as usize;
    pool.install(|| (0..count).into_par_iter().for_each(|i| run(address as *mut u8, i)));
}
