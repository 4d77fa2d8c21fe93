// coex in a program without exceptions: pools, tasks, senders, and errors as results.
#include <exec/exec.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <span>
#include <stdexcept>
#include <system_error>
#include <vector>

#if defined(__cpp_exceptions)
#error "this program is to be compiled with -fno-exceptions: meson setup -Dcpp_eh=none"
#endif

namespace {

int failures = 0;

void check(bool fulfilled, const char* promise, int line) {
    if (fulfilled) return;
    std::fprintf(stderr, "main.cpp:%d: not so: %s\n", line, promise);
    ++failures;
}
#define CHECK(promise) check((promise), #promise, __LINE__)

coex::task<int> doubled(coex::static_thread_pool& pool, int value) {
    co_await pool.schedule();
    co_return 2 * value;
}

coex::task<int> sum(coex::static_thread_pool& pool) {
    auto [first, second] = co_await coex::when_all(doubled(pool, 1), doubled(pool, 20));
    co_return first + second;
}

void plain_work(coex::static_thread_pool& pool) {
    std::atomic<int> posted{0};
    {
        coex::static_thread_pool other{{.threads = 2}};
        for (int i = 0; i < 100; ++i) other.post([&] { ++posted; });
    }
    CHECK(posted == 100);
    CHECK(pool.submit([] { return 6 * 7; }).get() == 42);
    const auto [left, right] = pool.install([] { return coex::fork_join([] { return 1; }, [] { return 2; }); });
    CHECK(left + right == 3);
    std::vector<int> squares(1000);
    coex::parallel_for(std::size_t{0}, squares.size(), [&](std::size_t i) { squares[i] = static_cast<int>(i * i); });
    CHECK(squares[999] == 999 * 999);
    std::atomic<int> scoped{0};
    pool.scope([&](coex::scope& work) {
        for (int i = 0; i < 10; ++i) work.spawn([&] { ++scoped; });
    });
    CHECK(scoped == 10);
}

void stopped_work(coex::static_thread_pool& pool) {
    coex::inplace_stop_source source;
    source.request_stop();
    const coex::result<int> ended = pool.submit([] { return 1; }, source.get_token()).get_result();
    CHECK(ended.was_stopped());
    CHECK(!ended.has_error());
}

void senders(coex::static_thread_pool& pool) {
    const auto values = coex::sync_wait(coex::schedule(pool.get_scheduler()) | coex::then([] { return 20; }) |
                                        coex::let_value([](int& value) { return coex::just(value + 1); }));
    CHECK(values.has_value() && std::get<0>(*values) == 21);

    const auto failed = std::make_exception_ptr(std::system_error(std::make_error_code(std::errc::timed_out), "try"));
    const auto results = coex::sync_wait(coex::as_result(coex::just_error(failed)));
    CHECK(results.has_value());
    const coex::result<void>& ended = std::get<0>(*results);
    CHECK(ended.has_error());
    CHECK(ended.error_code() == std::errc::timed_out);

    const auto cured = coex::sync_wait(coex::just_error(std::make_error_code(std::errc::timed_out)) |
                                       coex::upon_error([](std::error_code code) { return code.value(); }));
    CHECK(cured.has_value() && std::get<0>(*cured) == ETIMEDOUT);
}

coex::task<void> files(coex::static_thread_pool& pool) {
    auto missing = co_await coex::as_result(coex::open_file(pool, "/nonexistent/file", coex::open_mode::read));
    CHECK(!missing);
    CHECK(missing.error_code() == std::errc::no_such_file_or_directory);
    CHECK(missing.error_message() == "open_file '/nonexistent/file': No such file or directory");

    auto opened = co_await coex::as_result(coex::open_file(pool, "/proc/self/exe", coex::open_mode::read));
    CHECK(opened.has_value());
    coex::file program = *std::move(opened);
    std::byte start[4] = {};
    auto read = co_await coex::as_result(program.read_at(0, std::span<std::byte>(start)));
    CHECK(read.has_value() && *read == sizeof start);
    CHECK(std::memcmp(start, "\177ELF", sizeof start) == 0);
    auto written = co_await coex::as_result(program.write_at(0, std::span<const std::byte>(start)));
    CHECK(written.error_code() == std::errc::bad_file_descriptor);
    auto closed = co_await coex::as_result(program.close());
    CHECK(closed.has_value());

    // A call that a helper thread makes.
    auto removed = co_await coex::as_result(coex::remove_file("/nonexistent/file"));
    CHECK(removed.error_code() == std::errc::no_such_file_or_directory);
}

coex::task<void> sockets(coex::static_thread_pool& pool) {
    const coex::endpoint nobody = coex::endpoint::parse("127.0.0.1:1");
    auto connected = co_await coex::as_result(coex::tcp_stream::connect(pool, nobody));
    CHECK(connected.error_code() == std::errc::connection_refused);

    auto [here, there] = coex::unix_stream::pair(pool);
    std::byte block[8] = {};
    auto sent = co_await coex::as_result(here.write_all(std::span<const std::byte>(block, 4)));
    CHECK(sent.has_value());
    here.shutdown();
    auto received = co_await coex::as_result(there.read_exactly(std::span<std::byte>(block)));
    CHECK(received.error_code() == coex::io_errc::end_of_stream);
}

coex::task<int> late(bool after_a_wait) {
    if (after_a_wait) co_await coex::sleep_for(std::chrono::milliseconds(1));
    co_yield coex::with_error(std::make_error_code(std::errc::timed_out));
    co_return 1;
}

struct only_codes {
    using error_types = coex::completion_signatures<coex::set_error_t(std::error_code)>;
};

coex::task<int, only_codes> late_by_code(bool fail) {
    if (fail) co_yield coex::with_error(std::make_error_code(std::errc::timed_out));
    co_return 7;
}

coex::task<void> tasks_end_with_errors() {
    for (const bool after_a_wait : {false, true}) {
        auto ended = co_await coex::as_result(late(after_a_wait));
        CHECK(ended.error_code() == std::errc::timed_out);
    }
}

coex::task<void> nothing_or_late(int index) {
    if (index == 3) co_yield coex::with_error(std::make_error_code(std::errc::timed_out));
}

/// Every awaitable of coex that gathers what others end with gives it to `as_result`.
coex::task<void> what_awaits_tasks_ends_with_their_errors(coex::static_thread_pool& pool) {
    for (const bool after_a_wait : {false, true}) {
        auto both = co_await coex::as_result(coex::when_all(doubled(pool, 1), late(after_a_wait)));
        CHECK(both.error_code() == std::errc::timed_out);
        auto mixed = co_await coex::as_result(coex::when_all(late(after_a_wait), coex::just(1)));
        CHECK(mixed.error_code() == std::errc::timed_out);

        std::vector<coex::task<int>> tasks;
        tasks.push_back(doubled(pool, 1));
        tasks.push_back(late(after_a_wait));
        auto all = co_await coex::as_result(coex::when_all(std::move(tasks)));
        CHECK(all.error_code() == std::errc::timed_out);

        const auto fails = [after_a_wait] { return late(after_a_wait); };
        const auto works = [&pool] { return doubled(pool, 1); };
        auto forked = co_await coex::as_result(coex::fork_join(works, fails));
        CHECK(forked.error_code() == std::errc::timed_out);

        auto submitted = co_await coex::as_result(pool.submit(late(after_a_wait)));
        CHECK(submitted.error_code() == std::errc::timed_out);

        auto limited = co_await coex::as_result(coex::timeout(late(after_a_wait), std::chrono::hours(1)));
        CHECK(limited.error_code() == std::errc::timed_out);
        auto any = co_await coex::as_result(coex::when_any(late(after_a_wait)));
        CHECK(any.error_code() == std::errc::timed_out);
    }
    auto looped = co_await coex::as_result(coex::parallel_for(0, 10, [](int index) { return nothing_or_late(index); }));
    CHECK(looped.error_code() == std::errc::timed_out);

    const auto works = [&pool] { return doubled(pool, 1); };
    auto values = co_await coex::as_result(coex::fork_join(works, works));
    CHECK(values.has_value() && *values == std::tuple(2, 2));
    auto value = co_await coex::as_result(pool.submit([] { return 7; }));
    CHECK(value.has_value() && *value == 7);
}

coex::task<void> scopes_end_with_errors(coex::static_thread_pool& pool) {
    coex::counting_scope scope;
    auto future =
        coex::spawn_future(late(true), scope.get_token(), coex::prop(coex::get_scheduler, pool.get_scheduler()));
    auto result = co_await coex::as_result(std::move(future));
    CHECK(result.error_code() == std::errc::timed_out);
    coex::spawn(nothing_or_late(3), scope.get_token(), coex::prop(coex::get_scheduler, pool.get_scheduler()));
    auto joined = co_await coex::as_result(scope.join());
    CHECK(joined.error_code() == std::errc::timed_out);
}

void tasks_with_environments() {
    const auto value = coex::sync_wait(late_by_code(false));
    CHECK(value.has_value() && std::get<0>(*value) == 7);
    const auto cured =
        coex::sync_wait(late_by_code(true) | coex::upon_error([](std::error_code code) { return -code.value(); }));
    CHECK(cured.has_value() && std::get<0>(*cured) == -ETIMEDOUT);
}

void errors_tell_what_they_are() {
    CHECK(!coex::error_code_of(nullptr));
    CHECK(coex::error_message_of(nullptr).empty());
    const auto invalid = std::make_exception_ptr(std::invalid_argument("too small"));
    CHECK(coex::error_code_of(invalid) == std::errc::invalid_argument);
    CHECK(coex::error_message_of(invalid) == "too small");
    CHECK(coex::error_code_of(std::make_exception_ptr(std::bad_alloc())) == std::errc::not_enough_memory);
    CHECK(coex::error_code_of(std::make_exception_ptr(std::runtime_error("x"))) == std::errc::state_not_recoverable);
    CHECK(coex::error_message_of(std::make_exception_ptr(7)) == "unknown exception");
}

}  // namespace

int main() {
    coex::static_thread_pool pool{{.name = "plain", .threads = 2}};
    plain_work(pool);
    stopped_work(pool);
    senders(pool);
    CHECK(coex::block_on(sum(pool)) == 42);
    coex::block_on(tasks_end_with_errors());
    coex::block_on(what_awaits_tasks_ends_with_their_errors(pool));
    coex::block_on(scopes_end_with_errors(pool));
    tasks_with_environments();
    coex::block_on(files(pool));
    coex::block_on(sockets(pool));
    errors_tell_what_they_are();
    if (failures == 0) std::puts("no exceptions: all well");
    return failures == 0 ? 0 : 1;
}
