#pragma once

#include "../require.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <thread>
#include <vector>

namespace coex_bench {

constexpr std::size_t message_bytes = 64;

inline void pin_this_thread(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu % std::max(1U, std::thread::hardware_concurrency()), &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/// Processor time that a thread has used, in seconds.
inline double cpu_seconds(pthread_t thread) {
    clockid_t clock{};
    timespec used{};
    require(pthread_getcpuclockid(thread, &clock) == 0 && clock_gettime(clock, &used) == 0, "clock of a thread");
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

inline void set_no_delay(int descriptor) {
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// A socket that listens on a port of its own choice, at one address of this machine or at all (INADDR_ANY).
inline int listen_somewhere(std::uint16_t& port, in_addr_t at = INADDR_LOOPBACK) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(at);
    socklen_t size = sizeof address;
    require(listener >= 0 && bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                listen(listener, 4096) == 0 && getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0,
            "listen");
    port = ntohs(address.sin_port);
    return listener;
}

/// The next connection, without delay.
inline int accept_one(int listener) {
    const int accepted = accept(listener, nullptr, nullptr);
    require(accepted >= 0, "accept");
    set_no_delay(accepted);
    return accepted;
}

inline std::vector<int> connect_all(std::uint16_t port, int count) {
    std::vector<int> sockets;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    for (int i = 0; i < count; ++i) {
        const int each = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        require(each >= 0 && connect(each, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
        set_no_delay(each);
        sockets.push_back(each);
    }
    return sockets;
}

}  // namespace coex_bench
