#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace coex_bench {

/// Prints, besides the usual table, one line for every pair of benchmarks named `NAME/ours` and `NAME/OTHER`:
/// `ratio NAME VALUE (ours / OTHER, lower is better, median of N, min..max)`. Repetitions of both are interleaved at
/// random, so that a drift of the machine's speed falls on both alike. A counter C that both have makes a line of its
/// own, `ratio NAME:C ...`; one that counts items per second does not.
class ratio_reporter : public benchmark::ConsoleReporter {
public:
    ratio_reporter() : ConsoleReporter(OO_Tabular) {}

    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const Run& run : runs) {
            if (run.run_type != Run::RT_Iteration || has_failed(run)) continue;
            const std::string name = run.run_name.function_name;
            const auto slash = name.rfind('/');
            if (slash == std::string::npos) continue;
            const std::string other = name.substr(slash + 1);
            figures_[name.substr(0, slash)][other].push_back(run.GetAdjustedRealTime());
            for (const auto& [counter, value] : run.counters) {
                if (counter == "items_per_second") continue;
                figures_[name.substr(0, slash) + ":" + counter][other].push_back(value);
            }
        }
    }

    void Finalize() override {
        ConsoleReporter::Finalize();
        for (auto& [name, sides] : figures_) {
            const auto ours = sides.find("ours");
            if (ours == sides.end()) continue;
            for (auto& [other, figures] : sides) {
                if (other != "ours") print(name, other, ours->second, figures);
            }
        }
    }

private:
    // Google Benchmark 1.8 calls it otherwise than 1.7.
    static bool has_failed(const auto& run) {
        if constexpr (requires { run.error_occurred; }) {
            return run.error_occurred;
        } else {
            return static_cast<bool>(run.skipped);
        }
    }

    static void print(const std::string& name, const std::string& other, const std::vector<double>& ours,
                      const std::vector<double>& theirs) {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) ratios.push_back(ours[i] / theirs[i]);
        if (ratios.empty()) return;
        std::sort(ratios.begin(), ratios.end());
        std::printf("ratio %s %.3f (ours / %s, lower is better, median of %zu, %.3f..%.3f)\n", name.c_str(),
                    ratios[ratios.size() / 2], other.c_str(), ratios.size(), ratios.front(), ratios.back());
    }

    std::map<std::string, std::map<std::string, std::vector<double>>> figures_;
};

inline int run(int argc, char** argv) {
    std::vector<char*> arguments(argv, argv + argc);
    std::string interleave = "--benchmark_enable_random_interleaving=true";
    std::string repetitions = "--benchmark_repetitions=9";
    std::string shortly = "--benchmark_min_time=0.1";
    for (std::string* each : {&shortly, &repetitions, &interleave}) {
        arguments.insert(arguments.begin() + 1, each->data());  // before the user's own, which override them
    }
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
    ratio_reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    benchmark::Shutdown();
    return 0;
}

}  // namespace coex_bench
