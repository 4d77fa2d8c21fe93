#include "device/overrides.hpp"

#include <exec/base/exceptions.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string>

namespace coex::inline v0::detail {
namespace {

constexpr std::array all_classes = {device_class::hdd,    device_class::ssd,     device_class::nvme,
                                    device_class::memory, device_class::network, device_class::unknown};

[[noreturn]] void refuse(std::string_view entry, const std::string& why) {
    detail::throw_exception(std::invalid_argument(
        "COEX_DEVICES: \"" + std::string(entry) + "\": " + why +
        "; the form is NAME:class=CLASS,threads=N,depth=N;NAME:... where NAME is a device or a class"));
}

template <class Visit>
void split(std::string_view text, char separator, Visit visit) {
    for (;;) {
        const auto end = text.find(separator);
        if (const std::string_view part = text.substr(0, end); !part.empty()) visit(part);
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

unsigned number(std::string_view entry, std::string_view text, unsigned least) {
    constexpr unsigned most = 65535;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
        refuse(entry, "\"" + std::string(text) + "\" is not a number from " + std::to_string(least) + " to " +
                          std::to_string(most));
    }
    return value;
}

void set_key(device_override& into, std::string_view entry, std::string_view setting) {
    const auto equals = setting.find('=');
    if (equals == std::string_view::npos) refuse(entry, "\"" + std::string(setting) + "\" has no '='");
    const std::string_view key = setting.substr(0, equals);
    const std::string_view value = setting.substr(equals + 1);
    if (key == "class") {
        device_class kind{};
        if (!parse_device_class(value, kind)) {
            refuse(entry, "\"" + std::string(value) + "\" is no class (hdd, ssd, nvme, memory, network, unknown)");
        }
        into.kind = kind;
    } else if (key == "threads") {
        into.threads = number(entry, value, 1);
    } else if (key == "depth") {
        into.in_flight = number(entry, value, 0);
    } else {
        refuse(entry, "unknown key \"" + std::string(key) + "\" (class, threads, depth)");
    }
}

void take(storage_device& device, const device_override& from) {
    if (from.threads) device.threads = *from.threads;
    if (from.in_flight) device.in_flight = *from.in_flight;
    if (from.threads || from.in_flight)
        device.reasons.push_back("threads or depth overridden for \"" + from.name + "\"");
}

void set_defaults(storage_device& device, unsigned queue_depth, unsigned cpus) {
    // Two workers keep a solid-state device's queue full; more only walk directories faster.
    const unsigned some = std::min(cpus, 4U);
    const auto within_queue = [queue_depth](unsigned wanted) {
        return queue_depth == 0 ? wanted : std::min(wanted, queue_depth);
    };
    switch (device.kind) {
        case device_class::hdd:
            device.threads = 1;
            device.in_flight = 1;
            break;
        case device_class::ssd:
            device.threads = some;
            device.in_flight = within_queue(32);
            break;
        case device_class::nvme:
            device.threads = some;
            device.in_flight = within_queue(128);
            break;
        case device_class::memory:
            device.threads = cpus;
            device.in_flight = 0;
            break;
        case device_class::network:
            device.threads = 1;
            device.in_flight = 16;
            break;
        case device_class::unknown:
            device.threads = some;
            device.in_flight = within_queue(8);
            break;
    }
}

}  // namespace

bool parse_device_class(std::string_view name, device_class& kind) noexcept {
    const auto* const found = std::find_if(all_classes.begin(), all_classes.end(),
                                           [name](device_class each) { return to_string(each) == name; });
    if (found == all_classes.end()) return false;
    kind = *found;
    return true;
}

std::vector<device_override> parse_overrides(std::string_view text) {
    std::vector<device_override> overrides;
    split(text, ';', [&overrides](std::string_view entry) {
        // A device may have a ':' in its name: "server:/export", "dev-8:1".
        const auto equals = entry.find('=');
        const auto colon = entry.rfind(':', equals);
        if (colon == std::string_view::npos || colon == 0) refuse(entry, "has no NAME before a ':'");
        device_override parsed;
        parsed.name = entry.substr(0, colon);
        split(entry.substr(colon + 1), ',', [&](std::string_view setting) { set_key(parsed, entry, setting); });
        if (!parsed.kind && !parsed.threads && !parsed.in_flight) refuse(entry, "sets nothing");
        check_override(parsed);
        overrides.push_back(std::move(parsed));
    });
    return overrides;
}

void check_override(const device_override& entry) {
    device_class kind{};
    if (entry.kind && parse_device_class(entry.name, kind)) {
        detail::throw_exception(std::invalid_argument("device override \"" + entry.name +
                                                      "\": a class cannot be given another class; name a device"));
    }
    if (entry.threads && *entry.threads == 0) {
        detail::throw_exception(
            std::invalid_argument("device override \"" + entry.name + "\": threads = 0; a pool needs at least 1"));
    }
}

void apply_resources(storage_device& device, const std::vector<device_override>& overrides, unsigned queue_depth,
                     unsigned cpus) {
    for (const device_override& each : overrides) {
        if (each.name != device.name || !each.kind) continue;
        device.kind = *each.kind;
        device.reasons.push_back("class overridden: " + std::string(to_string(*each.kind)));
    }
    set_defaults(device, queue_depth, cpus);
    for (const device_override& each : overrides) {
        if (each.name == to_string(device.kind)) take(device, each);
    }
    for (const device_override& each : overrides) {
        if (each.name == device.name) take(device, each);
    }
}

}  // namespace coex::inline v0::detail
