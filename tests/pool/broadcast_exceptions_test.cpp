#include <exec/pool/current_pool.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using coex::broadcast_context;
using coex::scope;
using coex::static_thread_pool;

constexpr unsigned seven = 7;

template <class Function>
std::string message_of(Function function) {
    try {
        function();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "none";
}

[[noreturn]] void fail(unsigned index) {
    throw std::runtime_error(std::to_string(index));
}

TEST(broadcast_exceptions, the_lowest_index_wins_though_it_came_last) {
    static_thread_pool pool{{.threads = seven}};
    std::atomic<unsigned> ran{0};
    EXPECT_EQ(message_of([&] {
                  pool.broadcast([&](broadcast_context c) {
                      if (c.index() == 1) {
                          while (ran.load() != seven - 1) std::this_thread::yield();  // all others have failed
                      }
                      ran.fetch_add(1);
                      if (c.index() % 2 == 1) fail(c.index());  // three of the seven
                  });
              }),
              "1");
    EXPECT_EQ(ran.load(), seven);
}

TEST(broadcast_exceptions, one_reaches_the_caller_after_all_calls) {
    static_thread_pool pool{{.threads = seven}};
    std::atomic<unsigned> ran{0};
    EXPECT_EQ(message_of([&] {
                  static_cast<void>(pool.broadcast([&](broadcast_context c) {
                      ran.fetch_add(1);
                      if (c.index() == 3) fail(3);
                      return std::make_unique<int>(1);
                  }));
              }),
              "3");
    EXPECT_EQ(ran.load(), seven);
    EXPECT_EQ(pool.broadcast([] { return 1; }).size(), seven) << "the pool stays usable";
}

TEST(broadcast_exceptions, those_of_a_posted_one_go_to_the_handler_each) {
    for (const unsigned failing : {1U, 4U}) {
        std::atomic<unsigned> ran{0};
        std::atomic<unsigned> handled{0};
        {
            static_thread_pool pool{{.threads = seven, .on_exception = [&](std::exception_ptr) {
                                         EXPECT_TRUE(coex::this_thread_index().has_value());
                                         handled.fetch_add(1);
                                     }}};
            pool.post_broadcast([&](broadcast_context c) {
                ran.fetch_add(1);
                if (failing == 1 ? c.index() == 3 : c.index() % 2 == 0) fail(c.index());
            });
        }
        EXPECT_EQ(ran.load(), seven);
        EXPECT_EQ(handled.load(), failing);
    }
}

TEST(broadcast_exceptions, one_of_a_scopes_broadcast_is_thrown_by_the_scope) {
    static_thread_pool pool{{.threads = seven}};
    for (const unsigned failing : {1U, 4U}) {
        std::atomic<unsigned> ran{0};
        EXPECT_NE(message_of([&] {
                      pool.scope([&](scope& s) {
                          s.spawn_broadcast([&](broadcast_context c) {
                              ran.fetch_add(1);
                              if (failing == 1 ? c.index() == 3 : c.index() % 2 == 0) fail(c.index());
                          });
                      });
                  }),
                  "none");
        EXPECT_EQ(ran.load(), seven);
    }
}

// Which of two exceptions is rethrown is a promise of its own for each of the three.
TEST(two_exceptions, fork_join_rethrows_the_left_scope_the_first_and_broadcast_the_lowest_index) {
    static_thread_pool pool{{.threads = 2}};
    const auto later = [](std::atomic<bool>& other, unsigned which) {
        while (!other.load()) std::this_thread::yield();
        fail(which);
    };
    // Number 0 is the left one, the one spawned first, the lowest index; number 1 fails before it.
    struct raise_at_end {
        std::atomic<bool>* flag;
        ~raise_at_end() { flag->store(true); }
    };
    std::atomic<bool> failed{false};
    EXPECT_EQ(message_of([&] {
                  pool.install([&] {
                      coex::fork_join([&] { later(failed, 0); },
                                      [&] {
                                          const raise_at_end at_end{&failed};
                                          fail(1);
                                      });
                  });
              }),
              "0");
    failed.store(false);
    EXPECT_EQ(message_of([&] {
                  pool.in_place_scope([&](scope& s) {
                      s.spawn([&] { later(failed, 0); });
                      // Raised when the task is destroyed: its exception has been kept by then.
                      s.spawn([held = std::make_shared<raise_at_end>(&failed)] { fail(1); });
                  });
              }),
              "1");
    failed.store(false);
    EXPECT_EQ(message_of([&] {
                  pool.broadcast([&](broadcast_context c) {
                      if (c.index() == 0) later(failed, 0);
                      const raise_at_end at_end{&failed};
                      fail(1);
                  });
              }),
              "0");
}

TEST(broadcast_death, of_an_empty_function_is_told) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    static_thread_pool pool{{.threads = 1}};
    EXPECT_DEATH(pool.broadcast(std::function<void()>()), "broadcast\\(\\) was given an empty function");
    EXPECT_DEATH(pool.post_broadcast(std::function<void(broadcast_context)>()), "was given an empty function");
}

void broadcast_in_start_handler() {
    coex::pool_options options{.threads = 1};
    options.on_thread_start = [](unsigned) { coex::broadcast([] {}); };
    static_thread_pool pool{options};
    pool.broadcast([] {});
}

TEST(broadcast_death, in_a_start_handler_is_told) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(broadcast_in_start_handler(), "in a handler for the start or stop of a thread");
}

}  // namespace
