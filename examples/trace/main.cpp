// Runs work of several kinds on two pools and writes a trace of it, for ui.perfetto.dev or chrome://tracing.
//
// usage: trace [FILE]     default: trace.json
#include <exec/exec.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <span>
#include <vector>

namespace {

using span = coex::trace_recorder::span;

struct places {
    coex::trace_recorder& recorder;
    coex::static_thread_pool& cpu;
    coex::static_thread_pool& disk;
};

// Forks at every step: idle workers take halves, the rest is plain calls.
std::uint64_t sum(std::span<const std::uint32_t> numbers) {
    if (numbers.size() <= 50'000) return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
    const auto middle = numbers.size() / 2;
    const auto [left, right] =
        coex::fork_join([&] { return sum(numbers.first(middle)); }, [&] { return sum(numbers.subspan(middle)); });
    return left + right;
}

std::uint64_t fold(std::uint64_t hash, std::span<const std::byte> block) {
    for (const std::byte each : block) hash = (hash ^ static_cast<std::uint64_t>(each)) * 1'099'511'628'211U;
    return hash;
}

// Reads on the pool of the disk, computes on the other.
coex::task<std::uint64_t> checksum(places at, std::filesystem::path path) {
    coex::file file = co_await coex::open_file(at.disk, path, coex::open_mode::read);
    std::vector<std::byte> block(64 * 1024);
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (std::uint64_t offset = 0; offset < 16 * block.size();) {
        const std::size_t count = co_await file.read_at(offset, block);
        if (count == 0) break;
        offset += count;
        co_await at.cpu.schedule();
        {
            const span named(at.recorder, "fold");
            hash = fold(hash, std::span<const std::byte>(block).first(count));
        }
        co_await at.disk.schedule();
    }
    co_return hash;
}

// Gives way to everything else between its steps.
coex::task<int> tidy_up(places at) {
    int steps = 0;
    for (; steps < 20; ++steps) {
        co_await at.cpu.schedule(coex::priority::low);
        const span named(at.recorder, "tidy up");
        std::vector<std::uint32_t> numbers(20'000, 1);
        if (std::accumulate(numbers.begin(), numbers.end(), 0U) == 0) break;
    }
    co_return steps;
}

coex::task<std::uint64_t> everything(places at, std::filesystem::path path) {
    auto [first, second, steps] = co_await coex::when_all(checksum(at, path), checksum(at, path), tidy_up(at));
    co_await coex::sleep_for(std::chrono::milliseconds(1));  // time for the workers to fall asleep
    co_return first == second ? first + static_cast<std::uint64_t>(steps) : 0;
}

}  // namespace

int main(int count, char** arguments) {
    const char* const name = count > 1 ? arguments[1] : "trace.json";
    coex::trace_recorder recorder;
    std::uint64_t result = 0;
    {
        coex::static_thread_pool cpu{{.name = "cpu", .threads = 2, .observer = &recorder}};
        coex::static_thread_pool disk{{.name = "disk", .threads = 1, .observer = &recorder}};
        const places at{recorder, cpu, disk};

        std::vector<std::uint32_t> numbers(2'000'000);
        std::iota(numbers.begin(), numbers.end(), 0U);
        result = coex::block_on(everything(at, "/proc/self/exe"));
        result += cpu.install([&] {
            const span named(recorder, "sum");
            return sum(numbers);
        });
        auto urgent = cpu.submit(coex::priority::high, [] { return std::uint64_t{1}; });
        result += urgent.get();
    }
    std::ofstream file(name);
    recorder.write(file);
    file.close();
    if (!file) {
        std::fprintf(stderr, "trace: cannot write %s; is there room, and may you write there?\n", name);
        return 1;
    }
    std::printf("%s: result %016llx, %llu events dropped\n", name, static_cast<unsigned long long>(result),
                static_cast<unsigned long long>(recorder.dropped()));
    return 0;
}
