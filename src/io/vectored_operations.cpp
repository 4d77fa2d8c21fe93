#include <exec/io/vectored_operations.hpp>

#include "io/pollable_calls.hpp"

#include <exec/io/file.hpp>
#include <exec/io/socket.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace coex::inline v0::detail {
namespace {

constexpr std::size_t most_blocks = 1024;  // UIO_MAXIOV

std::string where(std::uint64_t offset, const block_list& blocks) {
    return " (" + std::to_string(blocks.bytes()) + " bytes in " + std::to_string(blocks.size()) + " blocks at offset " +
           std::to_string(offset) + ")";
}

void fill(io_request& request, const file& which, std::uint64_t offset, const block_list& blocks) noexcept {
    request.descriptor = which.native_handle();
    request.buffer = blocks.data();
    request.length = blocks.size();
    request.offset = offset;
    request.in_thread = waits_in_call(request);
}

}  // namespace

block_list::block_list(std::span<const std::span<std::byte>> blocks)
    : size_(std::min(blocks.size(), most_blocks)), blocks_(size_) {
    assign(blocks);
}

block_list::block_list(std::span<const std::span<const std::byte>> blocks)
    : size_(std::min(blocks.size(), most_blocks)), blocks_(size_) {
    assign(blocks);
}

block_list::block_list(block_list&&) noexcept = default;
block_list::~block_list() = default;

template <class Block>
void block_list::assign(std::span<const Block> blocks) {
    for (std::size_t i = 0; i < size_; ++i) {
        blocks_[i] = {const_cast<std::byte*>(blocks[i].data()), blocks[i].size()};
        bytes_ += blocks[i].size();
    }
}

void read_blocks_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::read_blocks;
    fill(request, *file_, offset_, blocks_);
}

result<std::size_t> read_blocks_request::result(int answer) const {
    if (answer < 0) return io_failure(answer, "read_blocks_at", file_->path(), where(offset_, blocks_));
    return static_cast<std::size_t>(answer);
}

void write_blocks_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::write_blocks;
    fill(request, *file_, offset_, blocks_);
}

result<std::size_t> write_blocks_request::result(int answer) const {
    if (answer < 0) return io_failure(answer, "write_blocks_at", file_->path(), where(offset_, blocks_));
    return static_cast<std::size_t>(answer);
}

void socket_blocks::fill(io_request& request) noexcept {
    static_assert(sizeof(msghdr) == sizeof header_);
    msghdr header{};
    header.msg_iov = blocks_.data();
    header.msg_iovlen = blocks_.size();
    std::memcpy(header_.data(), &header, sizeof header);
    request.descriptor = socket_->native_handle();
    request.buffer = header_.data();
}

result<std::size_t> socket_blocks::bytes_of(int answer, const char* operation) const {
    if (answer >= 0) return static_cast<std::size_t>(answer);
    return socket_failure(answer, operation, describe_socket(socket_->native_handle()),
                          std::to_string(blocks_.bytes()) + " bytes in " + std::to_string(blocks_.size()) + " blocks");
}

void receive_blocks_request::prepare(io_request& request) noexcept {
    fill(request);
    request.opcode = io_opcode::receive_message;
}

void send_blocks_request::prepare(io_request& request) noexcept {
    fill(request);
    request.opcode = io_opcode::send_message;
}

}  // namespace coex::inline v0::detail
