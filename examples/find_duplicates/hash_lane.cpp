#include "hash_lane.hpp"

#include "directory_reader.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <span>
#include <system_error>
#include <utility>

namespace find_duplicates {
namespace {

using namespace std::chrono_literals;

constexpr int open_attempts = 200;  // with a pause between them: a second in all

bool is_out_of_descriptors(const std::error_code& error) noexcept {
    return error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system;
}

}  // namespace

std::uint64_t bytes_to_read(const file_record& file, const candidate& of, stage which) noexcept {
    return which == stage::prefix ? std::min<std::uint64_t>(file.size, of.prefix) : file.size;
}

hash_lane::hash_lane(search_context& context, device_queue& queue, stage which)
    : context_(context), queue_(queue), stage_(which), state_(XXH3_createState()) {
    if (!state_) throw std::bad_alloc();
}

coex::task<> hash_lane::run() {
    co_await queue_.pool().schedule();
    load* full = &loads_[0];
    load* empty = &loads_[1];
    co_await fill(*full);
    while (!full->empty() && !context_.stop.stop_requested()) {
        coex::task<> hashing = hash(*full);
        coex::task<> filling = fill(*empty);
        co_await coex::when_all(std::move(hashing), std::move(filling));
        std::swap(full, empty);
    }
}

coex::task<> hash_lane::fill(load& target) {
    target.clear();
    while (!context_.stop.stop_requested()) {
        if (current_ == nullptr) {
            current_ = queue_.next();
            done_ = 0;
            if (current_ == nullptr) co_return;
        }
        const std::uint64_t remaining = bytes_to_read(record(), *current_, stage_) - done_;
        if (!target.empty() && remaining > target.room().size()) co_return;
        if (!file_) co_await open_current();
        if (file_) co_await read_piece(target);
    }
}

coex::task<> hash_lane::open_current() {
    for (int attempt = 0; attempt < open_attempts; ++attempt) {
        co_await try_open();
        if (!is_out_of_descriptors(open_error_)) break;
        co_await coex::sleep_for(5ms);
    }
    if (open_error_) fail("cannot open", open_error_);
}

coex::task<> hash_lane::try_open() {
    const std::string path = context_.files.path(record());
    coex::open_mode mode = coex::open_mode::read;
    if (!record().through_link) mode = mode | coex::open_mode::no_follow;
    if (record().is_own) mode = mode | coex::open_mode::no_atime;
    open_error_.clear();
    try {
        file_.emplace(co_await coex::open_file(queue_.pool(), path, mode));
    } catch (const std::system_error& error) {
        open_error_ = error.code();
    }
}

coex::task<> hash_lane::read_piece(load& target) {
    const std::uint64_t remaining = bytes_to_read(record(), *current_, stage_) - done_;
    const std::span<std::byte> room = target.room();
    const std::span<std::byte> goal =
        room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), remaining)));
    std::size_t length = 0;
    try {
        while (length < goal.size()) {
            const std::size_t count = co_await file_->read_at(done_ + length, goal.subspan(length));
            if (count == 0) break;
            length += count;
        }
    } catch (const std::system_error& error) {
        fail("cannot read", error.code());
        co_return;
    }
    const bool is_last = length == remaining || length < goal.size();
    target.add(*current_, length, done_ == 0, is_last);
    done_ += length;
    if (!is_last) co_return;
    check_unchanged();
    context_.progress.advance(stage_ == stage::prefix ? 1 : done_);
    // The destructor closes the file, by a plain system call: closing what was only read doesn't wait for the device
    // and has no errors to tell, so there is nothing to await.
    file_.reset();
    current_ = nullptr;
}

/// Compares the file that was read with the one that the walk saw: a digest of a mixture of two contents is worth
/// nothing.
void hash_lane::check_unchanged() {
    file_status now;
    const std::error_code error = read_status(file_->native_handle(), now);
    if (error) {
        current_->failed = true;
        context_.problems.add(context_.files.path(record()), "cannot read the status", error);
    } else if (now.size != record().size || now.modified != record().modified ||
               done_ < bytes_to_read(record(), *current_, stage_)) {
        current_->failed = true;
        context_.problems.add(context_.files.path(record()), "changed during the search: left out");
    }
}

void hash_lane::fail(const char* what_failed, const std::error_code& error) {
    current_->failed = true;
    context_.problems.add(context_.files.path(record()), what_failed, error);
    context_.progress.advance(stage_ == stage::prefix ? 1 : record().size - done_);
    file_.reset();
    current_ = nullptr;
}

coex::task<> hash_lane::hash(load& source) {
    co_await context_.pools.cpu().schedule();
    for (const load::piece& piece : source.pieces()) {
        if (piece.is_first && piece.is_last) {
            piece.file->digest = XXH3_128bits(source.bytes(piece), piece.length);
            continue;
        }
        if (piece.is_first) XXH3_128bits_reset(state_.get());
        XXH3_128bits_update(state_.get(), source.bytes(piece), piece.length);
        if (piece.is_last) piece.file->digest = XXH3_128bits_digest(state_.get());
    }
}

}  // namespace find_duplicates
