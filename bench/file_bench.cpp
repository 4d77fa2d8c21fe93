// Reading cached files, beside plain system calls and a ring by hand.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace {

constexpr std::size_t block_bytes = 4096;
constexpr int reads = 4096;

/// A file of `reads` blocks, removed at the end.
class cached_file {
public:
    cached_file() {
        const int descriptor = ::mkstemp(path_.data());
        const std::vector<char> block(block_bytes, 'x');
        for (int i = 0; i < reads; ++i) {
            if (::write(descriptor, block.data(), block.size()) < 0) std::abort();
        }
        ::close(descriptor);
    }
    ~cached_file() { std::filesystem::remove(path_); }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_ = (std::filesystem::temp_directory_path() / "coex-bench-XXXXXX").string();
};

coex::task<void> read_all(coex::static_thread_pool& pool, const std::string& path) {
    co_await pool.schedule();
    coex::file file = co_await coex::open_file(pool, path, coex::open_mode::read);
    std::vector<std::byte> block(block_bytes);
    for (int i = 0; i < reads; ++i) {
        benchmark::DoNotOptimize(co_await file.read_at(static_cast<std::uint64_t>(i) * block_bytes, block));
    }
}

void read_ours(benchmark::State& state) {
    const cached_file file;
    coex::static_thread_pool pool{{.name = "bench", .threads = 1}};
    for (auto _ : state) coex::block_on(read_all(pool, file.path()));
    state.SetItemsProcessed(state.iterations() * reads);
}
BENCHMARK(read_ours)->Name("read_4096_cached_blocks_in_a_row/ours")->UseRealTime();

// Into so many blocks by turns: how much of them is in the processor's caches matters more than anything else.
void read_plain(benchmark::State& state, std::size_t count) {
    const cached_file file;
    std::vector<std::vector<std::byte>> blocks(count, std::vector<std::byte>(block_bytes));
    for (auto _ : state) {
        const int descriptor = ::open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
        for (int i = 0; i < reads; ++i) {
            std::vector<std::byte>& block = blocks[static_cast<std::size_t>(i) % count];
            benchmark::DoNotOptimize(::pread(descriptor, block.data(), block.size(), off_t{i} * off_t{block_bytes}));
        }
        ::close(descriptor);
    }
    state.SetItemsProcessed(state.iterations() * reads);
}
BENCHMARK_CAPTURE(read_plain, one_block, std::size_t{1})->Name("read_4096_cached_blocks_in_a_row/pread")->UseRealTime();

constexpr int batch = 32;

coex::task<void> read_share(coex::file& file, int first) {
    std::vector<std::byte> block(block_bytes);
    for (int i = first; i < reads; i += batch) {
        benchmark::DoNotOptimize(co_await file.read_at(static_cast<std::uint64_t>(i) * block_bytes, block));
    }
}

coex::task<void> read_in_batches(coex::static_thread_pool& pool, const std::string& path) {
    co_await pool.schedule();
    coex::file file = co_await coex::open_file(pool, path, coex::open_mode::read);
    std::vector<coex::task<void>> shares;
    for (int i = 0; i < batch; ++i) shares.push_back(read_share(file, i));
    co_await coex::when_all(std::move(shares));
}

void batches_ours(benchmark::State& state) {
    const cached_file file;
    coex::static_thread_pool pool{{.name = "bench", .threads = 1}};
    for (auto _ : state) coex::block_on(read_in_batches(pool, file.path()));
    state.SetItemsProcessed(state.iterations() * reads);
}
BENCHMARK(batches_ours)->Name("read_4096_cached_blocks_by_32_tasks/ours")->UseRealTime();
BENCHMARK_CAPTURE(read_plain, many_blocks, std::size_t{batch})
    ->Name("read_4096_cached_blocks_by_32_tasks/pread")
    ->UseRealTime();

void batches_by_ring(benchmark::State& state) {
    const cached_file file;
    std::vector<std::vector<std::byte>> blocks(batch, std::vector<std::byte>(block_bytes));
    io_uring ring{};
    if (io_uring_queue_init(batch, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) != 0) std::abort();
    for (auto _ : state) {
        const int descriptor = ::open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
        for (int i = 0; i < reads; i += batch) {
            for (int j = 0; j < batch; ++j) {
                io_uring_prep_read(io_uring_get_sqe(&ring), descriptor, blocks[static_cast<std::size_t>(j)].data(),
                                   block_bytes, static_cast<std::uint64_t>(i + j) * block_bytes);
            }
            io_uring_submit_and_wait(&ring, batch);
            io_uring_cq_advance(&ring, batch);
        }
        ::close(descriptor);
    }
    io_uring_queue_exit(&ring);
    state.SetItemsProcessed(state.iterations() * reads);
}
BENCHMARK(batches_by_ring)->Name("read_4096_cached_blocks_by_32_tasks/ring")->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
