#include "lane_count.hpp"

#include <algorithm>

namespace find_duplicates {

std::size_t lane_count(search_context& context, dev_t device) {
    // A lane beyond what the device works on at once would only wait, and each has half a megabyte of buffers.
    constexpr std::size_t most = 32;
    const unsigned in_flight = context.pools.device_of(device).in_flight;
    return in_flight == 0 ? most : std::min<std::size_t>(in_flight, most);
}

}  // namespace find_duplicates
