#include <exec/pool/trace_recorder.hpp>

#include <exec/pool/static_thread_pool.hpp>

#include "pool/trace_buffer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex::trace_recorder;
using coex::detail::trace_buffer;
using coex::detail::trace_kind;

std::string written(const trace_recorder& recorder) {
    std::ostringstream out;
    recorder.write(out);
    return out.str();
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
}

TEST(trace_recorder, every_task_is_a_slice_with_an_arrow_from_its_post) {
    trace_recorder recorder;
    {
        static_thread_pool pool{{.name = "cpu", .threads = 2, .observer = &recorder}};
        for (int i = 0; i < 100; ++i) pool.post([] {});
    }
    const std::string trace = written(recorder);
    EXPECT_EQ(count(trace, "\"name\":\"task\""), 100U);
    EXPECT_EQ(count(trace, "{\"ph\":\"s\""), count(trace, "{\"ph\":\"f\""));
    EXPECT_EQ(count(trace, "\"name\":\"process_name\",\"args\":{\"name\":\"cpu\"}"), 1U);
    EXPECT_EQ(count(trace, "\"name\":\"cpu/1\""), 1U);
    EXPECT_EQ(recorder.dropped(), 0U);
}

TEST(trace_recorder, memory_is_bounded_and_what_was_dropped_is_told) {
    trace_recorder recorder(coex::trace_options{.events_per_thread = 64, .threads = 8});
    {
        static_thread_pool pool{{.threads = 1, .observer = &recorder}};
        for (int i = 0; i < 1'000; ++i) pool.post([] {});
    }
    EXPECT_GE(recorder.dropped(), 1'000 - 64 + 2'000U - 64);
    const std::string trace = written(recorder);
    EXPECT_LE(count(trace, "\"name\":\"task\""), 32U);
    EXPECT_GE(count(trace, "\"name\":\"task\""), 1U);
    EXPECT_EQ(count(trace, "earlier events dropped"), 2U) << "of the worker and of the poster";
    EXPECT_EQ(count(trace, "\"dropped_events\":\"" + std::to_string(recorder.dropped()) + "\""), 1U);
}

TEST(trace_recorder, events_of_more_threads_than_are_kept_are_counted_as_dropped) {
    trace_recorder recorder(coex::trace_options{.events_per_thread = 1'000, .threads = 1});
    {
        static_thread_pool pool{{.threads = 1, .observer = &recorder}};  // the worker comes first
        pool.submit([] {}).get();
        for (int i = 0; i < 3; ++i) {
            std::thread([&pool] { pool.post([] {}); }).join();
        }
    }
    EXPECT_GE(recorder.dropped(), 3U);
}

TEST(trace_recorder, names_are_escaped) {
    trace_recorder recorder;
    {
        static_thread_pool pool{{.name = "a \"b\"\\\n", .threads = 1, .observer = &recorder}};
        pool.submit([&recorder] { const trace_recorder::span named(recorder, "tab\there"); }).get();
    }
    const std::string trace = written(recorder);
    EXPECT_EQ(count(trace, "{\"name\":\"a \\\"b\\\"\\\\\\u000a\"}"), 1U);
    EXPECT_EQ(count(trace, "\"name\":\"tab\\u0009here\""), 1U);
}

TEST(trace_recorder, what_still_runs_is_written_as_unfinished) {
    trace_recorder recorder;
    static_thread_pool pool{{.threads = 1, .observer = &recorder}};
    pool.submit([&recorder] { EXPECT_EQ(count(written(recorder), "\"unfinished\":true"), 1U); }).get();
}

TEST(trace_recorder, a_trace_can_be_written_while_pools_run) {
    trace_recorder recorder(coex::trace_options{.events_per_thread = 128, .threads = 16});
    std::atomic<bool> stop{false};
    {
        static_thread_pool pool{{.threads = 2, .observer = &recorder}};
        std::thread poster([&] {
            while (!stop.load()) pool.submit([] {}).get();
        });
        for (int i = 0; i < 50; ++i) EXPECT_NE(written(recorder).find("]}"), std::string::npos);
        stop.store(true);
        poster.join();
    }
}

TEST(trace_recorder, one_recorder_serves_several_pools_one_after_the_other) {
    trace_recorder recorder;
    for (int i = 0; i < 3; ++i) {
        static_thread_pool pool{{.name = "again", .threads = 1, .observer = &recorder}};
        pool.submit([] {}).get();
    }
    EXPECT_EQ(count(written(recorder), "\"name\":\"process_name\",\"args\":{\"name\":\"again\"}"), 3U);
}

TEST(trace_recorder, two_recorders_on_one_thread_are_told_apart) {
    trace_recorder first;
    trace_recorder second;
    {
        static_thread_pool a{{.threads = 1, .observer = &first}};
        static_thread_pool b{{.threads = 1, .observer = &second}};
        a.submit([&b] {
             for (int i = 0; i < 10; ++i) b.submit([] {}).get();
         }).get();
    }
    EXPECT_EQ(count(written(first), "\"name\":\"task\""), 1U);
    EXPECT_EQ(count(written(second), "\"name\":\"task\""), 10U);
}

// [T1]: each event's three words come from one call of add().
TEST(trace_recorder, no_torn_event_is_copied_from_a_buffer_that_is_being_written) {
    trace_buffer buffer(1, 0, 8);
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (std::uint64_t i = 0; !stop.load(); ++i) buffer.add({i, trace_kind::posted, i * 3, i * 7});
    });
    for (int i = 0; i < 20'000; ++i) {
        std::uint64_t before = 0;
        for (const coex::detail::trace_event& each : buffer.copy()) {
            ASSERT_EQ(each.number, each.time * 3);
            ASSERT_EQ(each.detail, each.time * 7);
            ASSERT_TRUE(before == 0 || each.time == before + 1);
            before = each.time;
        }
    }
    stop.store(true);
    writer.join();
}

}  // namespace
