#pragma once

#include <exec/device/resource_pools.hpp>

#include <string_view>
#include <vector>

namespace coex::inline v0::detail {

/// Reads `COEX_DEVICES`: entries `NAME:KEY=VALUE,...` separated by `;`. NAME is a device or a class; keys are class,
/// threads, depth.
///
/// Errors: std::invalid_argument, naming the entry.
[[nodiscard]] std::vector<device_override> parse_overrides(std::string_view text);

/// Errors: std::invalid_argument for an override that cannot be meant: no threads, a class for a class.
void check_override(const device_override& entry);

/// Sets class, threads and depth of `device`: the defaults of its class, then what was given for the class, then for
/// the device. Later entries win. `queue_depth` is what the hardware takes, 0 if unknown; `cpus` what this process may
/// use.
void apply_resources(storage_device& device, const std::vector<device_override>& overrides, unsigned queue_depth,
                     unsigned cpus);

/// The class that `name` spells. Returns false for anything else.
[[nodiscard]] bool parse_device_class(std::string_view name, device_class& kind) noexcept;

}  // namespace coex::inline v0::detail
