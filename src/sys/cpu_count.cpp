#include <exec/sys/cpu_count.hpp>

#include "sys/cgroup_quota.hpp"

#include <exec/base/exceptions.hpp>

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace coex::inline v0 {
namespace {

unsigned affinity_count() {
    // The kernel refuses a mask that is smaller than its own: double it until it fits.
    constexpr int most = 1 << 20;
    for (int cpus = 1024; cpus <= most; cpus *= 2) {
        const auto release = [](cpu_set_t* set) { CPU_FREE(set); };
        const std::unique_ptr<cpu_set_t, decltype(release)> set(CPU_ALLOC(static_cast<std::size_t>(cpus)), release);
        if (set == nullptr) break;
        const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
        if (::sched_getaffinity(0, bytes, set.get()) == 0) return static_cast<unsigned>(CPU_COUNT_S(bytes, set.get()));
        if (errno != EINVAL) break;
    }
    return std::thread::hardware_concurrency();
}

}  // namespace

unsigned available_cpus(const std::string& root) {
    const unsigned allowed = std::max(1U, affinity_count());
    const auto quota = detail::cgroup_cpu_quota(root);
    if (!quota || *quota >= allowed) return allowed;
    return std::max(1U, static_cast<unsigned>(std::ceil(*quota)));
}

unsigned default_thread_count() {
    const char* const text = std::getenv("COEX_NUM_THREADS");
    const unsigned asked = text == nullptr ? 0 : detail::parse_thread_count(text);
    return asked != 0 ? asked : available_cpus();
}

unsigned detail::parse_thread_count(std::string_view text) {
    constexpr unsigned most = 65535;
    if (text.empty()) return 0;
    unsigned count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count > most) {
        detail::throw_exception(
            std::invalid_argument("COEX_NUM_THREADS=\"" + std::string(text) +
                                  "\" is not a thread count: set a number from 1 to 65535, or unset it for automatic"));
    }
    return count;
}

}  // namespace coex::inline v0
