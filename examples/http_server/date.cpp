#include "date.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <ctime>

namespace http_server {

std::string_view date_now() noexcept {
    // The text is made anew once a second, not for each answer. No locale: the names are those of the standard.
    static constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static thread_local std::array<char, 64> text{};
    static thread_local std::size_t length = 0;
    static thread_local std::time_t second = -1;
    const std::time_t now = std::time(nullptr);
    if (now != second) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        const int count = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                        days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                        months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                                        parts.tm_hour, parts.tm_min, parts.tm_sec);
        length = static_cast<std::size_t>(count);
        second = now;
    }
    return {text.data(), length};
}

}  // namespace http_server
