// Many sessions of every kind that waits, on workers of which all but one compute now and then until the others have
// got on: with stops, refused submissions and a completion queue so short that it overflows, all at random.

#include "io/busy_sessions.hpp"
#include "io/left_over.hpp"
#include "io/ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coex::static_thread_pool;
using coex_test::busy::burst;
using coex_test::busy::session;
using coex_test::busy::slow;
namespace busy = coex_test::busy;

constexpr unsigned short_queue = 256;  // completions; the kernel takes no fewer
static_assert(burst > short_queue, "nothing would overflow");

class busy_stress : public ::testing::TestWithParam<unsigned> {
protected:
    void SetUp() override {
        usual_ = coex::detail::completion_entries.exchange(short_queue);
        descriptors_ = coex_test::open_descriptors();
    }
    void TearDown() override {
        coex::detail::completion_entries.store(usual_);
        coex::detail::refused_submissions.store(0);
        EXPECT_EQ(coex_test::open_descriptors(), descriptors_) << "of all that was opened, something is still open";
    }

    /// `ended_early`: the pool ends in the middle of it.
    static void round(unsigned workers, std::minstd_rand& random, bool ended_early) {
        const coex::receive_buffers buffers(8, 64);
        constexpr unsigned of_each_kind = 4;
        busy::computations all(workers, of_each_kind * 6 + 1);
        std::vector<std::unique_ptr<session>> sessions;
        const auto seed = [&random] { return static_cast<unsigned>(random()); };
        for (unsigned i = 0; i < of_each_kind; ++i) {
            sessions.push_back(std::make_unique<busy::reading>(seed(), all));
            sessions.push_back(std::make_unique<busy::reading_for_a_time>(seed(), all));
            sessions.push_back(std::make_unique<busy::receiving>(seed(), all, buffers));
            sessions.push_back(std::make_unique<busy::polling_again<coex::poll_trigger::level>>(seed(), all));
            sessions.push_back(std::make_unique<busy::polling_again<coex::poll_trigger::edge>>(seed(), all));
            sessions.push_back(std::make_unique<busy::sleeping>(seed(), all));
        }
        sessions.push_back(std::make_unique<busy::bursting>(seed(), all));

        std::optional<static_thread_pool> pool(std::in_place, coex::pool_options{.threads = workers});
        std::vector<coex::submission<void>> handles;
        for (auto& each : sessions) {
            handles.push_back(pool->submit([&pool, &each] { return each->run(*pool); }));
        }
        send_and_stop(sessions, random, ended_early);
        if (ended_early) {
            handles.clear();
            pool.reset();
        } else {
            for (auto& each : handles) each.get();
            coex_test::expect_nothing_in_flight(*pool);
            for (auto& each : sessions) each->check();
            pool.reset();
        }
        for (auto& each : sessions) {
            EXPECT_EQ(each->begun(), 1);
            each->expect_ended_once();
        }
        EXPECT_EQ(buffers.in_use(), 0U);
        EXPECT_EQ(coex_test::ring_entries::of_process().rings, 0U) << "a ring outlives its pool";
    }

private:
    static void send_and_stop(const std::vector<std::unique_ptr<session>>& sessions, std::minstd_rand& random,
                              bool leave_early) {
        std::vector<session*> open;
        for (const auto& each : sessions) open.push_back(each.get());
        const std::size_t enough = leave_early ? random() % open.size() : 0;
        while (open.size() > enough) {
            const std::size_t i = random() % open.size();
            if (!open[i]->send(random)) {
                std::swap(open[i], open.back());
                open.pop_back();
            }
            if (random() % 8 == 0) sessions[random() % sessions.size()]->stop();
            if (random() % 64 == 0) coex::detail::refused_submissions.store(1 + static_cast<unsigned>(random() % 3));
            for (auto k = random() % 4; k > 0; --k) std::this_thread::yield();
        }
    }

    unsigned usual_ = 0;
    std::size_t descriptors_ = 0;
};

TEST_P(busy_stress, every_operation_ends_once_and_loses_nothing) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    const char* const given = std::getenv("COEX_TORTURE_ROUNDS");
    const int rounds = given == nullptr ? (slow ? 3 : 12) : std::max(1, std::atoi(given));
    for (int i = 0; i < rounds && !HasFailure(); ++i) round(GetParam(), random, random() % 4 == 0);
}

INSTANTIATE_TEST_SUITE_P(workers, busy_stress, ::testing::Range(2U, 9U));

}  // namespace
