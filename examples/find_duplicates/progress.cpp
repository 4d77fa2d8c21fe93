#include "progress.hpp"

#include "text_encoding.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

namespace find_duplicates {
namespace {

using namespace std::chrono_literals;

constexpr auto first_delay = 200ms;  // a search that is over before shows nothing
constexpr auto frame = 100ms;

bool is_enabled(progress_mode mode) noexcept {
    if (mode == progress_mode::on_terminal) return ::isatty(STDERR_FILENO) != 0;
    return mode == progress_mode::always;
}

std::size_t terminal_columns() noexcept {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

/// To the terminal in one piece; a line that cannot be written is no reason to fail.
void write_out(std::string_view text) noexcept {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

std::string amount(std::uint64_t count, progress_line::unit unit) {
    return unit == progress_line::unit::bytes ? human_bytes(count) : std::to_string(count);
}

}  // namespace

progress_line::progress_line(progress_mode mode) : enabled_(is_enabled(mode)) {
    if (enabled_) thread_ = std::thread([this] { run(); });
}

progress_line::~progress_line() {
    finish();
}

void progress_line::begin(std::string title, std::uint64_t total, unit counts) {
    const std::lock_guard lock(mutex_);
    title_ = std::move(title);
    total_ = total;
    unit_ = counts;
    done_.store(0);
}

void progress_line::finish() noexcept {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    changed_.notify_all();
    thread_.join();
    if (drawn_) write_out("\r\x1b[K");
}

void progress_line::run() {
    std::unique_lock lock(mutex_);
    auto wait = first_delay;
    while (!changed_.wait_for(lock, wait, [this] { return finished_; })) {
        if (!title_.empty()) draw();
        wait = frame;
    }
}

void progress_line::draw() {
    std::string line = "\r";
    // One column is left free: writing into the last one makes some terminals wrap.
    line += text().substr(0, std::max<std::size_t>(terminal_columns(), 2) - 1);
    line += "\x1b[K";
    write_out(line);
    drawn_ = true;
}

std::string progress_line::text() const {
    const std::uint64_t done = done_.load();
    if (total_ == 0) return title_ + ": " + amount(done, unit_);
    constexpr std::size_t width = 30;
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const auto filled = static_cast<std::size_t>(part * static_cast<double>(width));
    std::string line = title_ + " [" + std::string(filled, '#') + std::string(width - filled, '.') + "] ";
    line += std::to_string(static_cast<int>(part * 100.0)) + "% of " + amount(total_, unit_);
    return line;
}

}  // namespace find_duplicates
