#pragma once

#include "device_queue.hpp"
#include "load.hpp"
#include "search_context.hpp"

#include <exec/exec.hpp>

#include <xxhash.h>

#include <cstdint>
#include <memory>
#include <optional>

namespace find_duplicates {

enum class stage { prefix, content };

/// Returns how many bytes of a file a stage reads.
[[nodiscard]] std::uint64_t bytes_to_read(const file_record& file, const candidate& of, stage which) noexcept;

/// One coroutine that reads files of one device, one after the other, and has them hashed on the CPU pool. While one
/// load is hashed, the next is read.
///
/// A device of depth n has n lanes or so, which share a queue. A lane holds at most one file open.
class hash_lane {
public:
    hash_lane(search_context& context, device_queue& queue, stage which);

    [[nodiscard]] coex::task<> run();

private:
    struct state_deleter {
        void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
    };

    [[nodiscard]] coex::task<> fill(load& target);
    [[nodiscard]] coex::task<> open_current();
    [[nodiscard]] coex::task<> try_open();
    [[nodiscard]] coex::task<> read_piece(load& target);
    [[nodiscard]] coex::task<> hash(load& source);
    void check_unchanged();
    void fail(const char* what_failed, const std::error_code& error);
    [[nodiscard]] const file_record& record() const noexcept { return context_.files.files()[current_->file]; }

    search_context& context_;
    device_queue& queue_;
    const stage stage_;
    load loads_[2];
    std::unique_ptr<XXH3_state_t, state_deleter> state_;  // of the file whose pieces are being hashed
    // The file that is being read:
    candidate* current_ = nullptr;
    std::optional<coex::file> file_;
    std::uint64_t done_ = 0;  // bytes
    std::error_code open_error_;
};

}  // namespace find_duplicates
