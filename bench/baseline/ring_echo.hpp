#pragma once

#include "echo_sockets.hpp"

#include <liburing.h>

#include <array>
#include <vector>

namespace coex_bench {

/// Either end of echo connections, written by hand for one ring and one thread: the least that such a program can do.
class ring_echo {
public:
    explicit ring_echo(unsigned flags) { require(io_uring_queue_init(2048, &ring_, flags) == 0, "io_uring"); }
    ring_echo(const ring_echo&) = delete;
    ring_echo& operator=(const ring_echo&) = delete;
    ~ring_echo() {
        io_uring_queue_exit(&ring_);
        for (const connection& each : connections_) close(each.descriptor);
    }

    void add(int descriptor) { connections_.push_back(connection{descriptor, false, {}}); }

    /// The server: echoes until all connections have ended.
    void serve() {
        for (connection& each : connections_) receive(each);
        std::size_t open = connections_.size();
        while (open > 0) {
            io_uring_submit_and_wait(&ring_, 1);
            for_each_completion([&](connection& each, int result) {
                if (each.sending) {
                    receive(each);
                } else if (result > 0) {
                    send(each, static_cast<unsigned>(result));
                } else {
                    --open;
                }
            });
        }
    }

    /// The client: sends and receives until `replies` have come, as many at once as there are connections.
    void ask(std::size_t replies) {
        std::size_t left_to_send = replies;
        const auto ask_next = [&](connection& each) {
            if (left_to_send == 0) return;
            --left_to_send;
            send(each, message_bytes);
        };
        for (connection& each : connections_) ask_next(each);
        while (replies > 0) {
            io_uring_submit_and_wait(&ring_, 1);
            for_each_completion([&](connection& each, int result) {
                require(result > 0, "an answer");
                if (each.sending) {
                    receive(each);
                } else {
                    --replies;
                    ask_next(each);
                }
            });
        }
    }

private:
    struct connection {
        int descriptor;
        bool sending;
        std::array<char, 4096> block;
    };

    io_uring_sqe* entry() {
        io_uring_sqe* free = io_uring_get_sqe(&ring_);
        if (free == nullptr) {
            io_uring_submit(&ring_);
            free = io_uring_get_sqe(&ring_);
        }
        return free;
    }
    void receive(connection& on) {
        on.sending = false;
        io_uring_sqe* const next = entry();
        io_uring_prep_recv(next, on.descriptor, on.block.data(), on.block.size(), 0);
        io_uring_sqe_set_data(next, &on);
    }
    void send(connection& on, unsigned bytes) {
        on.sending = true;
        io_uring_sqe* const next = entry();
        io_uring_prep_send(next, on.descriptor, on.block.data(), bytes, MSG_NOSIGNAL);
        io_uring_sqe_set_data(next, &on);
    }
    template <class Function>
    void for_each_completion(Function function) {
        unsigned head = 0;
        unsigned count = 0;
        io_uring_cqe* each = nullptr;
        io_uring_for_each_cqe(&ring_, head, each) {
            function(*static_cast<connection*>(io_uring_cqe_get_data(each)), each->res);
            ++count;
        }
        io_uring_cq_advance(&ring_, count);
    }

    io_uring ring_{};
    std::vector<connection> connections_;
};

}  // namespace coex_bench
