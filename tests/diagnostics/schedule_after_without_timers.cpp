// expect: this scheduler has no timers
#include <exec/algo/just.hpp>
#include <exec/algo/schedule_at.hpp>

#include <chrono>

struct here {
    using scheduler_concept = coex::scheduler_tag;
    auto schedule() const noexcept { return coex::just(); }
    bool operator==(const here&) const = default;
};

void mistake() {
    static_cast<void>(coex::schedule_after(here(), std::chrono::seconds(1)));
}
