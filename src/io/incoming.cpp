#include <exec/io/incoming.hpp>

#include "io/buffer_group.hpp"
#include "io/incoming_state.hpp"
#include "io/ring_buffers.hpp"

#include <exec/base/exceptions.hpp>

#include <bit>
#include <stdexcept>
#include <string>
#include <utility>

namespace coex::inline v0 {
namespace {

using detail::incoming_state;

constexpr std::size_t most_buffers = 32'768;
constexpr std::size_t most_bytes = std::size_t{1} << 30;
constexpr std::size_t line_bytes = 64;

detail::counted_ptr<detail::buffer_group> make_group(std::size_t count, std::size_t bytes) {
    if (count == 0 || count > most_buffers) {
        detail::throw_exception(
            std::invalid_argument("receive_buffers: count = " + std::to_string(count) + ": give 1 to 32768"));
    }
    if (bytes == 0 || bytes > most_bytes) {
        detail::throw_exception(
            std::invalid_argument("receive_buffers: bytes = " + std::to_string(bytes) + ": give 1 to 2^30"));
    }
    const std::size_t whole = bytes + detail::bytes_before_datagram;
    return detail::make_counted<detail::buffer_group>(static_cast<unsigned>(std::bit_ceil(count)),
                                                      (whole + line_bytes - 1) / line_bytes * line_bytes);
}

void close(const detail::counted_ptr<incoming_state>& state) noexcept {
    if (state != nullptr) state->close();
}

task<std::optional<received_block>> next_block(detail::counted_ptr<incoming_state> state) {
    std::optional<received_datagram> part = co_await incoming_state::next(std::move(state));
    if (!part) co_return std::nullopt;
    co_return std::move(part->block);
}

task<received_datagram> next_datagram(detail::counted_ptr<incoming_state> state) {
    std::optional<received_datagram> part = co_await incoming_state::next(std::move(state));
    co_return std::move(*part);
}

}  // namespace

receive_buffers::receive_buffers(std::size_t count, std::size_t bytes) : group_(make_group(count, bytes)) {}

receive_buffers::~receive_buffers() = default;

std::size_t receive_buffers::in_use() const noexcept {
    return group_->in_use();
}

incoming_blocks::incoming_blocks(stream& from, const receive_buffers& buffers, incoming_options options)
    : state_(detail::make_counted<incoming_state>(from, incoming_state::kind::bytes, buffers, options)) {}

incoming_blocks::incoming_blocks(incoming_blocks&&) noexcept = default;

incoming_blocks& incoming_blocks::operator=(incoming_blocks&& other) noexcept {
    incoming_blocks taken(std::move(other));
    state_.swap(taken.state_);
    return *this;
}

incoming_blocks::~incoming_blocks() {
    close(state_);
}

std::coroutine_handle<task<std::optional<received_block>>::promise_type> incoming_blocks::make_next() {
    return next_block(state_).release();
}

incoming_datagrams::incoming_datagrams(datagram_socket& from, const receive_buffers& buffers, incoming_options options)
    : state_(detail::make_counted<incoming_state>(from, incoming_state::kind::datagrams, buffers, options)) {}

incoming_datagrams::incoming_datagrams(incoming_datagrams&&) noexcept = default;

incoming_datagrams& incoming_datagrams::operator=(incoming_datagrams&& other) noexcept {
    incoming_datagrams taken(std::move(other));
    state_.swap(taken.state_);
    return *this;
}

incoming_datagrams::~incoming_datagrams() {
    close(state_);
}

std::coroutine_handle<task<received_datagram>::promise_type> incoming_datagrams::make_next() {
    return next_datagram(state_).release();
}

}  // namespace coex::inline v0
