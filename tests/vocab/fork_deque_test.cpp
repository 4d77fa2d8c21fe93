#include <exec/vocab/fork_deque.hpp>

#include <exec/base/config.hpp>
#include <exec/base/process_wide_barrier.hpp>
#include <exec/vocab/execution_context.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace coex {
namespace detail {

struct fork_deque_access {
    // As after `count` further jobs have been pushed, published and stolen. Owner only, while no job is there.
    static void skip(fork_deque& deque, std::uint64_t count) {
        deque.bottom_.store(deque.top_.load() + count);
        deque.publish_all();
        deque.top_.store(deque.bottom_.load());
    }
};

}  // namespace detail
namespace {

using detail::fork_deque;

struct no_context final : execution_context {
    void submit(work_item*) noexcept override {}
    timer_service& timers() noexcept override { std::abort(); }
};

struct listener final : detail::fork_listener {
    void jobs_published() noexcept override { ++published; }
    int published = 0;
};

struct job final : work_item {
    job() : work_item([](work_item* item) noexcept { static_cast<job*>(item)->ran.fetch_add(1); }) {}
    std::atomic<int> ran{0};
};

struct fork_deque_test : testing::Test {
    fork_deque_test() { fork_deque::bind_to_this_thread(&deque); }
    ~fork_deque_test() override { fork_deque::bind_to_this_thread(nullptr); }

    no_context home;
    listener heard;
    fork_deque deque{home, heard};
    bool contended = false;
};

TEST_F(fork_deque_test, smoke) {
    job first;
    job second;
    const auto a = deque.push(&first);
    const auto b = deque.push(&second);
    EXPECT_EQ(deque.size(), 2U);
    EXPECT_TRUE(deque.pop(b));
    EXPECT_TRUE(deque.pop(a));
    EXPECT_FALSE(deque.has_jobs());
}

TEST_F(fork_deque_test, steal_from_empty_deque_returns_null) {
    EXPECT_EQ(deque.steal(contended), nullptr);
    EXPECT_FALSE(contended);
}

TEST_F(fork_deque_test, a_request_publishes_the_older_half_at_the_next_push) {
    if (!detail::has_process_wide_barrier()) GTEST_SKIP() << "without membarrier every push publishes";
    std::vector<job> jobs(6);
    deque.push(&jobs[0]);  // the first push of all is told
    EXPECT_EQ(heard.published, 1);
    for (std::size_t i = 1; i < 5; ++i) deque.push(&jobs[i]);
    EXPECT_EQ(heard.published, 1) << "nobody asked";
    EXPECT_EQ(deque.steal(contended), &jobs[0]);
    EXPECT_EQ(deque.steal(contended), nullptr) << "the others are private";
    deque.request();
    deque.push(&jobs[5]);
    EXPECT_EQ(heard.published, 2);
    EXPECT_EQ(deque.steal(contended), &jobs[1]);
    EXPECT_EQ(deque.steal(contended), &jobs[2]);
    EXPECT_EQ(deque.steal(contended), &jobs[3]);
    EXPECT_EQ(deque.steal(contended), nullptr);
}

TEST_F(fork_deque_test, a_demand_for_attention_is_heard_by_the_next_push) {
    if (!detail::has_process_wide_barrier()) GTEST_SKIP() << "without membarrier every push tells";
    EXPECT_TRUE(deque.demand_attention()) << "at first the owner is attentive: the sleeper needs no barrier";
    std::vector<job> jobs(3);
    deque.push(&jobs[0]);
    EXPECT_EQ(heard.published, 1);
    EXPECT_FALSE(deque.demand_attention()) << "it was not: a push may just be under way";
    EXPECT_TRUE(deque.demand_attention());
    deque.push(&jobs[1]);
    EXPECT_EQ(heard.published, 2);
    deque.push(&jobs[2]);
    EXPECT_EQ(heard.published, 2);
}

TEST_F(fork_deque_test, pop_of_a_stolen_job_says_so_and_later_pushes_work) {
    job taken;
    const auto index = deque.push(&taken);
    EXPECT_EQ(deque.steal(contended), &taken);
    EXPECT_FALSE(deque.pop(index));
    job next;
    const auto after = deque.push(&next);
    EXPECT_TRUE(deque.pop(after));
    EXPECT_FALSE(deque.has_jobs());
}

TEST_F(fork_deque_test, pop_of_an_outer_job_after_both_were_stolen) {
    job outer;
    job inner;
    const auto a = deque.push(&outer);
    const auto b = deque.push(&inner);
    deque.publish_all();
    EXPECT_EQ(deque.steal(contended), &outer);
    EXPECT_EQ(deque.steal(contended), &inner);
    EXPECT_FALSE(deque.pop(b));
    EXPECT_FALSE(deque.pop(a));
    job next;
    EXPECT_TRUE(deque.pop(deque.push(&next)));
}

TEST_F(fork_deque_test, the_owner_takes_a_public_job_back) {
    job first;
    job second;
    const auto a = deque.push(&first);
    const auto b = deque.push(&second);
    deque.publish_all();
    EXPECT_TRUE(deque.pop(b));
    EXPECT_TRUE(deque.pop(a)) << "the last one is decided by the exchange of top";
    EXPECT_EQ(deque.steal(contended), nullptr);
}

TEST_F(fork_deque_test, force_publishes_what_the_owner_keeps_to_itself) {
    if (!detail::has_process_wide_barrier()) GTEST_SKIP() << "without membarrier nothing is private";
    std::vector<job> jobs(3);
    for (job& each : jobs) deque.push(&each);
    EXPECT_EQ(deque.steal(contended), &jobs[0]);
    std::thread([&] {
        EXPECT_TRUE(deque.force());
        EXPECT_EQ(deque.steal(contended), &jobs[1]);
        EXPECT_EQ(deque.steal(contended), &jobs[2]);
        EXPECT_FALSE(deque.force()) << "nothing is left";
    }).join();
}

// Or else an owner that joins one short job after the other, and forks nothing, keeps all of them to itself.
TEST_F(fork_deque_test, taking_jobs_back_is_no_answer_to_a_request) {
    if (!detail::has_process_wide_barrier()) GTEST_SKIP() << "without membarrier nothing is private";
    std::vector<job> jobs(4);
    std::vector<std::uint64_t> indices;
    for (job& each : jobs) indices.push_back(deque.push(&each));
    EXPECT_EQ(deque.steal(contended), &jobs[0]) << "the first push is told";
    deque.request();
    const auto asked = deque.progress();
    EXPECT_TRUE(deque.pop(indices[3]));
    EXPECT_TRUE(deque.pop(indices[2]));
    EXPECT_EQ(deque.progress(), asked);
    deque.push(&jobs[2]);
    const auto answered = deque.progress();
    EXPECT_NE(answered, asked);
    EXPECT_EQ(deque.steal(contended), &jobs[1]);
    EXPECT_NE(deque.progress(), answered);
}

TEST_F(fork_deque_test, a_full_deque_closes_and_opens_again) {
    std::vector<std::unique_ptr<job>> jobs;
    std::vector<std::uint64_t> indices;
    while (detail::this_thread_forks != nullptr) {
        jobs.push_back(std::make_unique<job>());
        indices.push_back(deque.push(jobs.back().get()));
        ASSERT_LT(jobs.size(), 100'000U) << "it never became full";
    }
    EXPECT_EQ(fork_deque::reopen(), nullptr);
    for (std::size_t i = 0; i < fork_deque::margin - 1; ++i) deque.push(jobs[i].get());  // a burst may go on
    EXPECT_EQ(deque.steal(contended), jobs[0].get());
    // From the youngest on, everything is still there.
    for (std::size_t i = indices.back() + fork_deque::margin; i-- > indices.back() + 1;) EXPECT_TRUE(deque.pop(i));
    for (std::size_t i = indices.size(); i-- > 1;) EXPECT_TRUE(deque.pop(indices[i]));
    EXPECT_FALSE(deque.pop(indices[0]));
    EXPECT_EQ(fork_deque::reopen(), &deque);
    EXPECT_EQ(detail::this_thread_forks, &deque);
}

// How many jobs are stolen between the theft of a job and its join: around the limits of 31 and 32 bits, and beyond.
constexpr std::uint64_t long_times[] = {1,
                                        5000,
                                        (std::uint64_t{1} << 31) - 1,
                                        std::uint64_t{1} << 31,
                                        (std::uint64_t{1} << 31) + 7,
                                        (std::uint64_t{1} << 32) - 1,
                                        std::uint64_t{1} << 32,
                                        (std::uint64_t{1} << 32) + 7,
                                        (std::uint64_t{1} << 45) + 7};

TEST_F(fork_deque_test, a_job_stolen_long_ago_is_not_given_back) {
    for (const std::uint64_t stolen_meanwhile : long_times) {
        SCOPED_TRACE(stolen_meanwhile);
        job outer;
        job inner;
        const auto a = deque.push(&outer);
        deque.publish_all();
        ASSERT_EQ(deque.steal(contended), &outer);
        detail::fork_deque_access::skip(deque, stolen_meanwhile);
        EXPECT_TRUE(deque.pop(deque.push(&inner)));
        EXPECT_FALSE(deque.pop(a));
        EXPECT_FALSE(deque.has_jobs());
        EXPECT_EQ(deque.steal(contended), nullptr);
    }
}

TEST_F(fork_deque_test, jobs_can_be_published_after_an_old_one_was_joined) {
    for (const std::uint64_t stolen_meanwhile : long_times) {
        for (const bool by_force : {false, true}) {
            if (by_force && !detail::has_process_wide_barrier()) continue;
            SCOPED_TRACE(stolen_meanwhile);
            job outer;
            job first;
            job second;
            const auto a = deque.push(&outer);
            deque.publish_all();
            ASSERT_EQ(deque.steal(contended), &outer);
            detail::fork_deque_access::skip(deque, stolen_meanwhile);
            EXPECT_FALSE(deque.pop(a));
            const auto b = deque.push(&first);
            const auto c = deque.push(&second);
            if (by_force) {
                EXPECT_TRUE(deque.force());
            } else {
                deque.publish_all();
            }
            EXPECT_EQ(deque.steal(contended), &first);
            EXPECT_TRUE(deque.pop(c));
            EXPECT_FALSE(deque.pop(b));
            EXPECT_EQ(deque.steal(contended), nullptr);
        }
    }
}

// An owner forks and joins in a random nested pattern while thieves steal, ask and force: every job runs once.
struct storm {
    explicit storm(unsigned thieves, unsigned seed) : random(seed) {
        for (unsigned i = 0; i < thieves; ++i) {
            threads.emplace_back([this] {
                while (!over.load()) {
                    bool contended = false;
                    if (work_item* item = deque.steal(contended)) {
                        item->run(item);
                        stolen.fetch_add(1);
                    } else if (deque.has_jobs()) {
                        deque.request();
                        deque.force();
                    }
                }
            });
        }
    }
    ~storm() {
        over.store(true);
        for (std::thread& each : threads) each.join();
    }

    // Forks `each` and descends; joins on the way back.
    void nest(int depth) {
        if (depth == 0) return;
        job own;
        const auto index = deque.push(&own);
        forked += 1;
        nest(random() % 4 == 0 ? 0 : depth - 1);
        if (deque.pop(index)) {
            own.run(&own);
            if (random() % 2 == 0) nest(depth - 1);
        } else {
            while (own.ran.load() == 0) std::this_thread::yield();
        }
        ASSERT_EQ(own.ran.load(), 1);
    }

    std::mt19937 random;
    no_context home;
    listener heard;
    fork_deque deque{home, heard};
    std::atomic<bool> over{false};
    std::atomic<std::uint64_t> stolen{0};
    std::uint64_t forked = 0;
    std::vector<std::thread> threads;
};

void run_storm(unsigned thieves, std::uint64_t jobs) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    storm weather(thieves, seed);
    fork_deque::bind_to_this_thread(&weather.deque);
    while (weather.forked < jobs && !testing::Test::HasFatalFailure()) weather.nest(12);
    fork_deque::bind_to_this_thread(nullptr);
    EXPECT_FALSE(weather.deque.has_jobs());
}

constexpr std::uint64_t many = COEX_THREAD_SANITIZER || COEX_ADDRESS_SANITIZER ? 30'000 : 300'000;

TEST(fork_deque_storm, one_owner_one_thief) {
    run_storm(1, many);
}

TEST(fork_deque_storm, stampede) {
    run_storm(6, many / 3);
}

// The fast pop against the forced publication of the same job, over and over.
TEST(fork_deque_storm, no_loss_no_duplicate) {
    no_context home;
    listener heard;
    fork_deque deque(home, heard);
    std::atomic<bool> over{false};
    std::vector<std::thread> thieves;
    for (int i = 0; i < 2; ++i) {
        thieves.emplace_back([&] {
            while (!over.load()) {
                deque.force();
                bool contended = false;
                if (work_item* item = deque.steal(contended)) item->run(item);
            }
        });
    }
    for (std::uint64_t i = 0; i < many; ++i) {
        job only;
        if (deque.pop(deque.push(&only))) {
            only.run(&only);
        } else {
            while (only.ran.load() == 0) std::this_thread::yield();
        }
        ASSERT_EQ(only.ran.load(), 1);
    }
    over.store(true);
    for (std::thread& each : thieves) each.join();
}

}  // namespace
}  // namespace coex
