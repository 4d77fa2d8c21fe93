// Opens, asks the size of, reads and closes 10,000 files of 1 KiB that are in the page cache: coex beside plain system
// calls and a ring by hand.
#include "ratio_main.hpp"
#include "require.hpp"

#include <exec/exec.hpp>

#include <fcntl.h>
#include <liburing.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using coex_bench::require;

constexpr std::size_t files = 10'000;
constexpr std::size_t file_bytes = 1024;
constexpr std::size_t at_once = 32;

class small_files {
public:
    small_files() {
        std::string pattern = (std::filesystem::temp_directory_path() / "coex-bench-XXXXXX").string();
        require(::mkdtemp(pattern.data()) != nullptr, "a temporary directory");
        folder_ = pattern;
        const std::string contents(file_bytes, 'x');
        for (std::size_t i = 0; i < files; ++i) {
            paths_.push_back(folder_ / std::to_string(i));
            std::ofstream(paths_.back()) << contents;
        }
    }
    small_files(const small_files&) = delete;
    small_files& operator=(const small_files&) = delete;
    ~small_files() { std::filesystem::remove_all(folder_); }
    [[nodiscard]] const std::string& path(std::size_t index) const { return paths_[index]; }

private:
    std::filesystem::path folder_;
    std::vector<std::string> paths_;
};

const small_files& the_files() {
    static const small_files made;
    return made;
}

coex::task<> read_share(coex::static_thread_pool& pool, std::size_t first, std::size_t step) {
    std::array<std::byte, file_bytes> block;
    for (std::size_t i = first; i < files; i += step) {
        coex::file each = co_await coex::open_file(pool, the_files().path(i), coex::open_mode::read);
        const coex::file_info info = co_await each.statx();
        const std::size_t count = co_await each.read_at(0, block);
        require(count == info.size, "read");
        co_await each.close();
    }
}

coex::task<> read_all(coex::static_thread_pool& pool, std::size_t tasks) {
    co_await pool.schedule();
    std::vector<coex::task<>> shares;
    for (std::size_t i = 0; i < tasks; ++i) shares.push_back(read_share(pool, i, tasks));
    co_await coex::when_all(std::move(shares));
}

void ours(benchmark::State& state, std::size_t tasks) {
    static_cast<void>(the_files());
    coex::static_thread_pool pool{{.name = "bench", .threads = 1}};
    for (auto _ : state) coex::block_on(read_all(pool, tasks));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(files));
}

void by_calls(benchmark::State& state) {
    static_cast<void>(the_files());
    std::array<char, file_bytes> block{};
    for (auto _ : state) {
        for (std::size_t i = 0; i < files; ++i) {
            const int each = ::open(the_files().path(i).c_str(), O_RDONLY | O_CLOEXEC);
            struct statx info{};
            require(each >= 0 && ::statx(each, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) == 0, "open");
            require(::pread(each, block.data(), block.size(), 0) == ssize_t{file_bytes}, "read");
            ::close(each);
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(files));
}

/// One of the files that are in work at once.
struct lane {
    enum class step : unsigned char { open, ask, read, close } next = step::open;
    std::size_t file = 0;
    int descriptor = -1;
    struct statx info{};
    std::array<char, file_bytes> block{};
};

void prepare(io_uring& ring, lane& each) {
    io_uring_sqe* const entry = io_uring_get_sqe(&ring);
    switch (each.next) {
        case lane::step::open:
            io_uring_prep_openat(entry, AT_FDCWD, the_files().path(each.file).c_str(), O_RDONLY | O_CLOEXEC, 0);
            break;
        case lane::step::ask:
            io_uring_prep_statx(entry, each.descriptor, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &each.info);
            break;
        case lane::step::read:
            io_uring_prep_read(entry, each.descriptor, each.block.data(), file_bytes, 0);
            break;
        case lane::step::close:
            io_uring_prep_close(entry, each.descriptor);
            break;
    }
    io_uring_sqe_set_data(entry, &each);
}

// Returns false when there is no file left.
bool advance(lane& each, int result) {
    require(result >= 0, "an operation of the ring");
    switch (each.next) {
        case lane::step::open:
            each.descriptor = result;
            each.next = lane::step::ask;
            return true;
        case lane::step::ask:
            each.next = lane::step::read;
            return true;
        case lane::step::read:
            each.next = lane::step::close;
            return true;
        case lane::step::close:
            break;
    }
    each.next = lane::step::open;
    each.file += at_once;
    return each.file < files;
}

void by_ring(benchmark::State& state) {
    static_cast<void>(the_files());
    io_uring ring{};
    require(io_uring_queue_init(at_once, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) == 0,
            "io_uring");
    std::vector<lane> lanes(at_once);
    for (auto _ : state) {
        for (std::size_t i = 0; i < at_once; ++i) {
            lanes[i].file = i;
            prepare(ring, lanes[i]);
        }
        for (std::size_t working = at_once; working > 0;) {
            io_uring_submit_and_wait(&ring, 1);
            unsigned head = 0;
            unsigned count = 0;
            io_uring_cqe* completion = nullptr;
            io_uring_for_each_cqe(&ring, head, completion) {
                auto& each = *static_cast<lane*>(io_uring_cqe_get_data(completion));
                if (advance(each, completion->res)) {
                    prepare(ring, each);
                } else {
                    --working;
                }
                ++count;
            }
            io_uring_cq_advance(&ring, count);
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(files));
    io_uring_queue_exit(&ring);
}

BENCHMARK_CAPTURE(ours, one, std::size_t{1})->Name("small_files_by_one_task/ours")->UseRealTime();
BENCHMARK(by_calls)->Name("small_files_by_one_task/calls")->UseRealTime();
BENCHMARK(by_ring)->Name("small_files_by_one_task/ring")->UseRealTime();
BENCHMARK_CAPTURE(ours, many, at_once)->Name("small_files_by_32_tasks/ours")->UseRealTime();
BENCHMARK(by_calls)->Name("small_files_by_32_tasks/calls")->UseRealTime();
BENCHMARK(by_ring)->Name("small_files_by_32_tasks/ring")->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    return coex_bench::run(argc, argv);
}
