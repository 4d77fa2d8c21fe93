#include <exec/device/storage_device.hpp>

namespace coex::inline v0 {
namespace {

std::string joined(const std::vector<std::string>& parts, const char* separator) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
    return text;
}

}  // namespace

std::string_view to_string(device_class kind) noexcept {
    switch (kind) {
        case device_class::hdd:
            return "hdd";
        case device_class::ssd:
            return "ssd";
        case device_class::nvme:
            return "nvme";
        case device_class::memory:
            return "memory";
        case device_class::network:
            return "network";
        case device_class::unknown:
            return "unknown";
    }
    return "unknown";
}

std::string storage_device::explain() const {
    std::string text = name + ": class " + std::string(to_string(kind)) + "\n";
    for (const std::string& reason : reasons) text += "  because   " + reason + "\n";
    if (!mount_points.empty()) text += "  holds     " + joined(mount_points, ", ") + "\n";
    if (!members.empty()) text += "  spans     " + joined(members, ", ") + "\n";
    text += "  used by   " + std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ") +
            (in_flight == 0 ? std::string("any number of") : std::to_string(in_flight)) +
            (in_flight == 1 ? " operation in flight\n" : " operations in flight\n");
    text += "  override  COEX_DEVICES=\"" + name + ":class=ssd,threads=2,depth=32\"";
    return text;
}

}  // namespace coex::inline v0
