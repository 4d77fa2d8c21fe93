#pragma once

#include <exec/io/operation.hpp>

namespace coex::inline v0::detail {

/// What backends and queues may touch of an operation; each member says in io/operation.hpp who owns it when.
struct io_operation_access {
    [[nodiscard]] static const io_request& request(const io_operation& operation) noexcept {
        return operation.request_;
    }
    [[nodiscard]] static io_request& request(io_operation& operation) noexcept { return operation.request_; }
    [[nodiscard]] static io_service*& service(io_operation& operation) noexcept { return operation.service_; }
    [[nodiscard]] static void*& home(io_operation& operation) noexcept { return operation.home_; }
    [[nodiscard]] static bool& listed(io_operation& operation) noexcept { return operation.listed_; }
    [[nodiscard]] static bool& refused(io_operation& operation) noexcept { return operation.refused_; }
    [[nodiscard]] static bool& asked(io_operation& operation) noexcept { return operation.asked_; }
    [[nodiscard]] static std::uint16_t& generation(io_operation& operation) noexcept { return operation.generation_; }
    [[nodiscard]] static io_operation*& following(io_operation& operation) noexcept { return operation.following_; }
    [[nodiscard]] static io_operation*& preceding(io_operation& operation) noexcept { return operation.preceding_; }
};

/// A first-in, first-out list of operations from which any can be taken out.
///
/// Thread-safe: no; the list's owner locks.
class io_list {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    void push_back(io_operation& operation) noexcept {
        using access = io_operation_access;
        access::listed(operation) = true;
        access::following(operation) = nullptr;
        access::preceding(operation) = last_;
        (last_ == nullptr ? first_ : access::following(*last_)) = &operation;
        last_ = &operation;
    }

    void push_front(io_operation& operation) noexcept {
        using access = io_operation_access;
        access::listed(operation) = true;
        access::following(operation) = first_;
        access::preceding(operation) = nullptr;
        (first_ == nullptr ? last_ : access::preceding(*first_)) = &operation;
        first_ = &operation;
    }

    [[nodiscard]] io_operation* pop_front() noexcept {
        io_operation* const operation = first_;
        if (operation != nullptr) remove(*operation);
        return operation;
    }

    /// Takes `operation` out; returns false when it is in no list.
    bool remove(io_operation& operation) noexcept {
        using access = io_operation_access;
        if (!access::listed(operation)) return false;
        access::listed(operation) = false;
        io_operation* const before = access::preceding(operation);
        io_operation* const after = access::following(operation);
        (before == nullptr ? first_ : access::following(*before)) = after;
        (after == nullptr ? last_ : access::preceding(*after)) = before;
        return true;
    }

private:
    io_operation* first_ = nullptr;
    io_operation* last_ = nullptr;
};

}  // namespace coex::inline v0::detail
