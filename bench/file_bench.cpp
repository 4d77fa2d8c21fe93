// Reading cached files, beside plain system calls.
#include "ratio_main.hpp"

#include <exec/exec.hpp>

#include <fcntl.h>
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

void read_plain(benchmark::State& state) {
    const cached_file file;
    std::vector<std::byte> block(block_bytes);
    for (auto _ : state) {
        const int descriptor = ::open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
        for (int i = 0; i < reads; ++i) {
            benchmark::DoNotOptimize(::pread(descriptor, block.data(), block.size(), off_t{i} * off_t{block_bytes}));
        }
        ::close(descriptor);
    }
    state.SetItemsProcessed(state.iterations() * reads);
}
BENCHMARK(read_plain)->Name("read_4096_cached_blocks_in_a_row/pread")->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
