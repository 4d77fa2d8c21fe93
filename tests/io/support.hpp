#pragma once

#include "io/system_calls.hpp"

#include <exec/io/file.hpp>

#include <gtest/gtest.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace coex_test {

/// A directory that goes with the test.
class scratch_directory {
public:
    scratch_directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "coex-io-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    ~scratch_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

/// A pipe; both ends are closed with it, unless taken.
class pipe_pair {
public:
    pipe_pair() {
        if (::pipe(ends_) != 0) std::abort();
    }
    pipe_pair(const pipe_pair&) = delete;
    pipe_pair& operator=(const pipe_pair&) = delete;
    ~pipe_pair() {
        for (const int end : ends_) {
            if (end >= 0) ::close(end);
        }
    }
    [[nodiscard]] int take_reading_end() { return std::exchange(ends_[0], -1); }
    /// Does nothing when nobody reads any more.
    void write(const std::string& text) const {
        static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
        if (::write(ends_[1], text.data(), text.size()) < 0 && errno != EPIPE) std::abort();
    }
    /// True when everything that was written has been read.
    [[nodiscard]] bool is_drained() const {
        int left = 0;
        if (::ioctl(ends_[1], FIONREAD, &left) != 0) std::abort();
        return left == 0;
    }

private:
    int ends_[2] = {-1, -1};
};

/// How many descriptors this process has open.
inline std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
}

/// How many descriptors a backend may open late: a worker a ring and an eventfd at its first operation, or each of the
/// 16 helpers an eventfd.
constexpr std::size_t most_of_a_backend = 2 * 2 + 16;

/// Where a pipe is read: nowhere in particular.
constexpr auto anywhere = coex::file::own_position;

/// Runs each test twice: with cached data read at once, and with everything sent down the long road through the
/// backend.
class on_both_roads : public ::testing::TestWithParam<bool> {
protected:
    void SetUp() override { coex::detail::at_once_enabled.store(GetParam()); }
    void TearDown() override { coex::detail::at_once_enabled.store(true); }
};

inline std::string road_name(const ::testing::TestParamInfo<bool>& info) {
    return info.param ? "at_once" : "long_road";
}

#define COEX_ON_BOTH_ROADS(suite) INSTANTIATE_TEST_SUITE_P(roads, suite, ::testing::Bool(), coex_test::road_name)

}  // namespace coex_test
