// What TCP connections cost on which nobody says anything: resident memory and processor time of a server that waits
// for data on each, beside a ring by hand that keeps one receive in flight per connection. Each figure comes from a
// process of its own; the clients are another one. The kernel's own memory is not in it: it is the same for all.
#include "baseline/echo_sockets.hpp"
#include "plain_main.hpp"
#include "resident.hpp"

#include <exec/exec.hpp>

#include <liburing.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <thread>
#include <vector>

namespace {

using coex_bench::require;

constexpr std::size_t most_connections = 100'000;
constexpr std::size_t block_bytes = 64;
constexpr auto idle_time = std::chrono::seconds(5);

// Of the whole process, while a measurement is under way.
std::atomic<std::size_t> heap_bytes{0};

}  // namespace

// Counts what is asked of the heap; the library is served by these as well. They ask as those of libstdc++ do.
void* operator new(std::size_t bytes) {
    heap_bytes += bytes;
    if (void* const memory = std::malloc(bytes)) return memory;
    throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    heap_bytes += bytes;
    const auto align = static_cast<std::size_t>(alignment);
    if (void* const memory = std::aligned_alloc(align, (bytes + align - 1) / align * align)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace {

/// A server whose clients never speak, until they close their connections.
class server {
public:
    server() = default;
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    virtual ~server() = default;

    /// Takes over the connections, and returns when a receive is in flight on each or soon will be.
    virtual void wait_on(std::span<const int> connections) = 0;
    /// Returns how many connections have been closed by their clients, once none is left.
    virtual std::size_t finish() = 0;
    /// Of a session's coroutine, as asked of the heap.
    [[nodiscard]] virtual std::size_t frame_bytes() const { return 0; }
};

coex::task<> session(coex::tcp_stream peer, std::size_t& ended) {
    std::array<std::byte, block_bytes> block;
    require(co_await peer.read_some(block) == 0, "the end of a connection");
    ++ended;
}

/// What both of our servers have.
class our_server : public server {
public:
    std::size_t finish() override {
        coex::block_on(scope_.join());
        return ended_;
    }
    [[nodiscard]] std::size_t frame_bytes() const override { return frame_bytes_; }

protected:
    coex::task<> session_on(int descriptor) {
        const std::size_t before = heap_bytes;
        coex::task<> made = session({pool_, descriptor}, ended_);
        if (frame_bytes_ == 0) frame_bytes_ = heap_bytes - before;  // the first cannot have been recycled
        return made;
    }

    coex::counting_scope scope_;
    std::size_t ended_ = 0;
    std::size_t frame_bytes_ = 0;
    coex::static_thread_pool pool_{{.threads = 1}};
};

/// A service as it is usually written: its sessions are spawned into a scope.
class spawned_tasks : public our_server {
public:
    void wait_on(std::span<const int> connections) override { coex::block_on(spawn_all(connections)); }

private:
    coex::task<> spawn_all(std::span<const int> connections) {
        co_await pool_.schedule();
        for (const int each : connections) coex::spawn(session_on(each), scope_.get_token());
    }
};

/// The same, with all sessions awaited together.
class gathered_tasks : public our_server {
public:
    void wait_on(std::span<const int> connections) override {
        coex::spawn(gather(connections), scope_.get_token(), coex::prop(coex::get_scheduler, pool_.get_scheduler()));
    }

private:
    coex::task<> gather(std::span<const int> connections) {
        std::vector<coex::task<>> sessions;
        sessions.reserve(connections.size());
        for (const int each : connections) sessions.push_back(session_on(each));
        co_await coex::when_all(std::move(sessions));
    }
};

class ring_by_hand : public server {
public:
    ring_by_hand() {
        require(io_uring_queue_init(2048, &ring_, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) == 0,
                "io_uring");
    }
    ~ring_by_hand() override { io_uring_queue_exit(&ring_); }

    void wait_on(std::span<const int> connections) override {
        open_ += connections.size();
        for (const int each : connections) {
            connection* const made = new connection{each, {}};
            io_uring_sqe* entry = io_uring_get_sqe(&ring_);
            if (entry == nullptr) {
                io_uring_submit(&ring_);
                entry = io_uring_get_sqe(&ring_);
            }
            io_uring_prep_recv(entry, each, made->block.data(), made->block.size(), 0);
            io_uring_sqe_set_data(entry, made);
        }
        io_uring_submit(&ring_);
    }
    std::size_t finish() override {
        std::size_t ended = 0;
        for (; ended < open_; ++ended) {
            io_uring_cqe* completion = nullptr;
            require(io_uring_wait_cqe(&ring_, &completion) == 0 && completion->res == 0, "the end of a connection");
            const std::unique_ptr<connection> done(static_cast<connection*>(io_uring_cqe_get_data(completion)));
            close(done->descriptor);
            io_uring_cqe_seen(&ring_, completion);
        }
        return ended;
    }

private:
    struct connection {
        int descriptor;
        std::array<std::byte, block_bytes> block;
    };

    io_uring ring_{};
    std::size_t open_ = 0;
};

/// Connects to `port` as often as told, and stays until `until` is closed.
[[noreturn]] void be_all_clients(std::uint16_t port, std::size_t count, int until) {
    constexpr std::size_t each_address = 4'000;  // few of the ports between two addresses: free ones are found at once
    for (std::size_t i = 0; i < count; ++i) {
        const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(INADDR_LOOPBACK + i / each_address));
        address.sin_port = htons(port);
        require(client >= 0 && connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
    }
    char byte = 0;
    static_cast<void>(read(until, &byte, 1));
    _exit(0);
}

double processor_seconds() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

struct figures {
    double resident;   // bytes a connection
    double heap;       // bytes a connection that were asked of the heap
    double processor;  // seconds, while nobody spoke
    double frame;      // bytes
};

template <class Server>
figures measure(std::size_t count) {
    std::uint16_t port = 0;
    const int listener = coex_bench::listen_somewhere(port, INADDR_ANY);
    int gate[2];
    require(pipe(gate) == 0, "pipe");
    const pid_t clients = fork();
    require(clients >= 0, "fork");
    if (clients == 0) {
        close(gate[1]);
        be_all_clients(port, count, gate[0]);
    }
    std::vector<int> connections(count);
    for (int& each : connections) each = coex_bench::accept_one(listener);

    Server tested;
    const std::span<const int> all(connections);
    constexpr std::size_t first = 1000;  // what a server has once is not counted
    tested.wait_on(all.first(first));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const std::size_t resident_before = coex_bench::resident_bytes();
    const std::size_t heap_before = heap_bytes;
    tested.wait_on(all.subspan(first));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const double processor_before = processor_seconds();
    std::this_thread::sleep_for(idle_time);
    const double processor = processor_seconds() - processor_before;
    const auto each = [&](std::size_t bytes) {
        return static_cast<double>(bytes) / static_cast<double>(count - first);
    };
    const figures measured{each(coex_bench::resident_bytes() - resident_before), each(heap_bytes - heap_before),
                           processor, static_cast<double>(tested.frame_bytes())};
    close(gate[1]);
    require(tested.finish() == count, "all connections to end");
    waitpid(clients, nullptr, 0);
    return measured;
}

template <class Server>
figures measure_apart(std::size_t count) {
    std::fflush(stdout);
    int answer[2];
    require(pipe(answer) == 0, "pipe");
    const pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        const figures measured = measure<Server>(count);
        _exit(write(answer[1], &measured, sizeof measured) == sizeof measured ? 0 : 1);
    }
    close(answer[1]);
    figures measured{};
    require(read(answer[0], &measured, sizeof measured) == sizeof measured, "a measurement");
    close(answer[0]);
    waitpid(child, nullptr, 0);
    return measured;
}

/// As many descriptors as this process may get.
std::size_t raise_limit() {
    constexpr rlim_t wanted = most_connections + 100;
    rlimit limit{wanted, wanted};
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return wanted;
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = std::min(limit.rlim_max, wanted);
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    return limit.rlim_cur;
}

void print(const char* what, const figures& measured) {
    std::printf("%-40s %6.1f bytes a connection, %6.1f asked of the heap; %.4f s of processor time in 5 s\n", what,
                measured.resident, measured.heap, measured.processor);
}

void print_ratio(const char* name, const figures& ours, const figures& raw) {
    std::printf("ratio %s %.3f (resident memory, ours / (frame of %.0f + raw %.1f), lower is better)\n", name,
                ours.resident / (ours.frame + raw.resident), ours.frame, raw.resident);
}

}  // namespace

int main(int argc, char** argv) {
    coex_bench::go_on_if_asked_for(argc, argv, "connections", "the cost of silent TCP connections");
    const std::size_t count = std::min(most_connections, raise_limit() - 100);
    std::printf("%zu connections (of %zu, as far as RLIMIT_NOFILE goes)\n", count, most_connections);
    const figures raw = measure_apart<ring_by_hand>(count);
    print("ring by hand", raw);
    const figures gathered = measure_apart<gathered_tasks>(count);
    print("tasks in a when_all", gathered);
    const figures spawned = measure_apart<spawned_tasks>(count);
    print("tasks spawned into a counting_scope", spawned);
    print_ratio("connections_gathered", gathered, raw);
    print_ratio("connections_spawned", spawned, raw);
    return 0;
}
