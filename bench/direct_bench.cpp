// Random reads of 4 KiB past the page cache, 32 at a time, beside a ring by hand and fio. Times are of a read and
// depend on the device; `cpu` is the processor time that the process used for it, which is what a library can waste.
#include "baseline/fio.hpp"
#include "ratio_main.hpp"
#include "require.hpp"

#include <exec/exec.hpp>

#include <fcntl.h>
#include <liburing.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace {

using coex_bench::require;

constexpr std::size_t block_bytes = 4096;
constexpr std::size_t blocks = std::size_t{64} << 10;  // 256 MiB
constexpr int depth = 32;
constexpr int reads_each = 64;

double processor_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return coex_bench::processor_seconds(used);
}

/// A file in the current directory, as /tmp may lie in memory; removed at the end.
class large_file {
public:
    large_file() {
        const int descriptor = ::mkstemp(path_.data());
        require(descriptor >= 0, "a file in the current directory");
        const std::vector<char> block(block_bytes * 256, 'x');
        for (std::size_t i = 0; i < blocks; i += 256)
            require(::write(descriptor, block.data(), block.size()) > 0, "write");
        require(::fsync(descriptor) == 0, "fsync");
        ::close(descriptor);
    }
    large_file(const large_file&) = delete;
    large_file& operator=(const large_file&) = delete;
    ~large_file() { ::unlink(path_.c_str()); }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_ = "coex-direct-bench-XXXXXX";
};

const large_file& the_file() {
    static const large_file made;
    return made;
}

/// Memory that a device can read into.
class aligned_block {
public:
    [[nodiscard]] std::span<std::byte> bytes() const { return {memory_.get(), block_bytes}; }

private:
    struct release {
        void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t(block_bytes)); }
    };
    std::unique_ptr<std::byte, release> memory_{
        static_cast<std::byte*>(::operator new(block_bytes, std::align_val_t(block_bytes)))};
};

std::uint64_t random_offset(std::minstd_rand& random) {
    return random() % blocks * block_bytes;
}

coex::task<> read_some(coex::file& from, unsigned seed) {
    std::minstd_rand random(seed);
    const aligned_block block;
    for (int i = 0; i < reads_each; ++i) {
        const std::size_t count = co_await from.read_at(random_offset(random), block.bytes());
        require(count == block_bytes, "read");
    }
}

coex::task<> read_all(coex::static_thread_pool& pool, coex::file& from) {
    co_await pool.schedule();
    std::vector<coex::task<>> tasks;
    for (unsigned i = 0; i < depth; ++i) tasks.push_back(read_some(from, i + 1));
    co_await coex::when_all(std::move(tasks));
}

template <class Function>
void measure(benchmark::State& state, Function read) {
    const double before = processor_seconds();
    for (auto _ : state) read();
    const double reads = static_cast<double>(state.iterations()) * depth * reads_each;
    state.counters["cpu"] = (processor_seconds() - before) / reads;
    state.SetItemsProcessed(static_cast<std::int64_t>(reads));
}

void ours(benchmark::State& state) {
    coex::static_thread_pool pool{{.name = "bench", .threads = 1}};
    coex::file from(pool, ::open(the_file().path().c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT), the_file().path());
    require(from.native_handle() >= 0, "open with O_DIRECT");
    measure(state, [&] { coex::block_on(read_all(pool, from)); });
}
BENCHMARK(ours)->Name("direct_reads_32_at_once/ours")->UseRealTime();

void by_hand(benchmark::State& state, unsigned flags) {
    const int from = ::open(the_file().path().c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
    require(from >= 0, "open with O_DIRECT");
    io_uring ring{};
    require(io_uring_queue_init(depth, &ring, flags) == 0, "io_uring");
    struct reader {
        aligned_block block;
        std::minstd_rand random;
        int left = 0;
    };
    std::vector<reader> readers(depth);
    for (unsigned i = 0; i < depth; ++i) readers[i].random.seed(i + 1);
    const auto next = [&](reader& each) {
        io_uring_sqe* const entry = io_uring_get_sqe(&ring);
        io_uring_prep_read(entry, from, each.block.bytes().data(), block_bytes, random_offset(each.random));
        io_uring_sqe_set_data(entry, &each);
    };
    measure(state, [&] {
        int left = depth * reads_each;
        for (reader& each : readers) {
            each.left = reads_each;
            next(each);
        }
        while (left > 0) {
            io_uring_submit_and_wait(&ring, 1);
            unsigned head = 0;
            unsigned count = 0;
            io_uring_cqe* completion = nullptr;
            io_uring_for_each_cqe(&ring, head, completion) {
                auto& each = *static_cast<reader*>(io_uring_cqe_get_data(completion));
                require(completion->res == static_cast<int>(block_bytes), "read");
                if (--each.left > 0) next(each);
                ++count;
            }
            io_uring_cq_advance(&ring, count);
            left -= static_cast<int>(count);
        }
    });
    io_uring_queue_exit(&ring);
    ::close(from);
}
BENCHMARK_CAPTURE(by_hand, deferred, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)
    ->Name("direct_reads_32_at_once/ring_deferred")
    ->UseRealTime();
BENCHMARK_CAPTURE(by_hand, cooperative, IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG)
    ->Name("direct_reads_32_at_once/ring_cooperative")
    ->UseRealTime();

/// A process of its own, of which one repetition is one iteration.
void with_fio(benchmark::State& state, const coex_bench::fio& fio) {
    constexpr int rounds = 20;
    for (auto _ : state) {
        const coex_bench::child_times times = fio.read(rounds * depth * reads_each);
        state.SetIterationTime(times.elapsed / rounds);
        state.counters["cpu"] = times.processor / (rounds * depth * reads_each);
    }
}

void add_fio(const char* side, const std::vector<std::string>& options) {
    benchmark::RegisterBenchmark((std::string("direct_reads_32_at_once/") + side).c_str(),
                                 [=](benchmark::State& state) { with_fio(state, {the_file().path(), options}); })
        ->UseManualTime()
        ->Iterations(1);
}

}  // namespace

int main(int argc, char** argv) {
    if (coex_bench::fio::is_installed()) {
        add_fio("fio", {});
        add_fio("fio_that_counts_less", {"--gtod_reduce=1", "--norandommap"});
    } else {
        std::fputs("direct_bench: without fio, which is not installed\n", stderr);
    }
    return coex_bench::run(argc, argv);
}
