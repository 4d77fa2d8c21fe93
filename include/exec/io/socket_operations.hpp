#pragma once

#include <exec/io/endpoint.hpp>
#include <exec/io/operation.hpp>
#include <exec/vocab/result.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace coex::inline v0 {

class socket;

namespace detail {

/// A descriptor that is closed unless it is taken.
class owned_descriptor {
public:
    explicit owned_descriptor(int value = -1) noexcept : value_(value) {}
    owned_descriptor(owned_descriptor&& other) noexcept : value_(other.take()) {}
    owned_descriptor& operator=(owned_descriptor&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~owned_descriptor();
    [[nodiscard]] int get() const noexcept { return value_; }
    [[nodiscard]] int take() noexcept { return std::exchange(value_, -1); }

private:
    int value_;
};

class receive_request {
public:
    receive_request(socket& from, std::span<std::byte> block, bool whole) noexcept
        : socket_(&from), block_(block), whole_(whole) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer, const io_request& request) const;

private:
    socket* socket_;
    std::span<std::byte> block_;
    bool whole_;
};

class send_request {
public:
    send_request(socket& to, std::span<const std::byte> block, bool whole) noexcept
        : socket_(&to), block_(block), whole_(whole) {}
    void prepare(io_request& request) const noexcept;
    [[nodiscard]] coex::result<std::size_t> result(int answer, const io_request& request) const;

private:
    socket* socket_;
    std::span<const std::byte> block_;
    bool whole_;
};

[[nodiscard]] inline result<void> without_value(const result<std::size_t>& of) {
    if (of) return {};
    return failure{of.error()};
}

/// As the above, for operations that have no count to tell.
class receive_exactly_request : receive_request {
public:
    receive_exactly_request(socket& from, std::span<std::byte> block) noexcept : receive_request(from, block, true) {}
    using receive_request::prepare;
    [[nodiscard]] coex::result<void> result(int answer, const io_request& request) const {
        return without_value(receive_request::result(answer, request));
    }
};

class send_all_request : send_request {
public:
    send_all_request(socket& to, std::span<const std::byte> block) noexcept : send_request(to, block, true) {}
    using send_request::prepare;
    [[nodiscard]] coex::result<void> result(int answer, const io_request& request) const {
        return without_value(send_request::result(answer, request));
    }
};

/// Of both: the answer is the descriptor of a socket that nobody owns yet.
class accept_base {
protected:
    explicit accept_base(socket& from) noexcept : socket_(&from) {}
    void prepare_accept(io_request& request) const noexcept;
    [[nodiscard]] result<int> accepted(int answer) const;
    [[nodiscard]] static_thread_pool& pool() const noexcept;

private:
    socket* socket_;
};

template <class Stream>
class accept_request : accept_base {
public:
    explicit accept_request(socket& from) noexcept : accept_base(from) {}
    void prepare(io_request& request) const noexcept { prepare_accept(request); }
    [[nodiscard]] coex::result<Stream> result(int answer) const {
        const coex::result<int> descriptor = accepted(answer);
        if (!descriptor) return failure{descriptor.error()};
        return Stream(pool(), *descriptor);
    }
};

class connect_base {
protected:
    connect_base(static_thread_pool& pool, const endpoint& to) noexcept : pool_(&pool), to_(to) {}
    void prepare_connect(io_request& request);
    [[nodiscard]] result<int> connected(int answer);
    [[nodiscard]] static_thread_pool& pool() const noexcept { return *pool_; }

private:
    static_thread_pool* pool_;
    endpoint to_;
    owned_descriptor descriptor_;
};

template <class Stream>
class connect_request : connect_base {
public:
    connect_request(static_thread_pool& pool, const endpoint& to) noexcept : connect_base(pool, to) {}
    void prepare(io_request& request) { prepare_connect(request); }
    [[nodiscard]] coex::result<Stream> result(int answer) {
        const coex::result<int> descriptor = connected(answer);
        if (!descriptor) return failure{descriptor.error()};
        return Stream(pool(), *descriptor);
    }
};

}  // namespace detail
}  // namespace coex::inline v0
