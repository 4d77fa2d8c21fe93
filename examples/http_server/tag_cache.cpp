#include "tag_cache.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <new>
#include <vector>

namespace http_server {
namespace {

constexpr std::uint64_t block_bytes = std::uint64_t{64} << 10;
constexpr std::uint64_t most_hashed_bytes = std::uint64_t{1} << 20;
constexpr std::size_t most_tags = 4096;

std::string quoted(std::uint64_t a, std::uint64_t b) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "\"%" PRIx64 "-%" PRIx64 "\"", a, b);
    return text.data();
}

struct free_state {
    void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
};

// Block by block: what a client may use up does not grow with the file.
coex::task<std::string> tag_of_contents(coex::static_thread_pool& cpu, coex::file& opened, std::uint64_t size) {
    co_await cpu.schedule();
    const std::unique_ptr<XXH3_state_t, free_state> state(XXH3_createState());
    if (state == nullptr || XXH3_64bits_reset(state.get()) != XXH_OK) throw std::bad_alloc();
    std::vector<std::byte> block(std::min(size, block_bytes));
    std::uint64_t done = 0;
    while (done < size) {
        const std::size_t count = co_await opened.read_at(done, block);
        if (count == 0) break;  // it has become shorter meanwhile
        XXH3_64bits_update(state.get(), block.data(), count);
        done += count;
    }
    co_return quoted(XXH3_64bits_digest(state.get()), done);
}

}  // namespace

coex::task<std::string> tag_cache::tag_of(coex::file& opened, coex::file_info info) {
    const std::int64_t changed = info.changed.time_since_epoch().count();
    if (info.size > most_hashed_bytes) co_return quoted(static_cast<std::uint64_t>(changed), info.size);
    const identity key(info.device, info.inode, changed, info.size);
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = tags_.find(key); found != tags_.end()) co_return found->second;
    }
    std::string tag = co_await tag_of_contents(cpu_, opened, info.size);
    const std::lock_guard lock(mutex_);
    if (tags_.size() >= most_tags) tags_.clear();
    tags_.emplace(key, tag);
    co_return tag;
}

}  // namespace http_server
