#pragma once

#include <exec/base/heap_array.hpp>
#include <exec/io/operation.hpp>
#include <exec/vocab/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

struct iovec;

namespace coex::inline v0 {

class file;
class socket;

namespace detail {

/// Blocks of memory as system calls take them; those behind the first 1,024, which the kernel would refuse, are left
/// out.
class block_list {
public:
    explicit block_list(std::span<const std::span<std::byte>> blocks);
    explicit block_list(std::span<const std::span<const std::byte>> blocks);
    block_list(block_list&&) noexcept;
    ~block_list();

    [[nodiscard]] iovec* data() const noexcept { return blocks_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    template <class Block>
    void assign(std::span<const Block> blocks);

    std::size_t size_;
    std::size_t bytes_ = 0;
    heap_array<iovec> blocks_;  // not by value: <sys/uio.h> stays out of the header
};

class read_blocks_request {
public:
    read_blocks_request(const file& from, std::uint64_t offset, std::span<const std::span<std::byte>> blocks)
        : file_(&from), offset_(offset), blocks_(blocks) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer) const;

private:
    const file* file_;
    std::uint64_t offset_;
    block_list blocks_;
};

class write_blocks_request {
public:
    write_blocks_request(const file& to, std::uint64_t offset, std::span<const std::span<const std::byte>> blocks)
        : file_(&to), offset_(offset), blocks_(blocks) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer) const;

private:
    const file* file_;
    std::uint64_t offset_;
    block_list blocks_;
};

/// Of both: blocks as a message without an address.
class socket_blocks {
public:
    template <class Blocks>
    socket_blocks(socket& which, Blocks blocks) : socket_(&which), blocks_(blocks) {}

protected:
    void fill(io_request& request) noexcept;
    [[nodiscard]] coex::result<std::size_t> bytes_of(int answer, const char* operation) const;

private:
    socket* socket_;
    block_list blocks_;
    alignas(8) std::array<std::byte, 56> header_{};  // a msghdr
};

class receive_blocks_request : socket_blocks {
public:
    using socket_blocks::socket_blocks;
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer) const { return bytes_of(answer, "read_blocks"); }
};

class send_blocks_request : socket_blocks {
public:
    using socket_blocks::socket_blocks;
    void prepare(io_request& request) noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer) const { return bytes_of(answer, "write_blocks"); }
};

}  // namespace detail
}  // namespace coex::inline v0
