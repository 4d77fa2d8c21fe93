#include "file_table.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace find_duplicates {

std::uint32_t listing::add_name(std::string_view name) {
    const std::size_t offset = names.size();
    if (offset > UINT32_MAX) throw std::length_error("a directory has more than 4 GiB of names");
    names += name;
    names += '\0';
    return static_cast<std::uint32_t>(offset);
}

file_table::file_table() : directories_(1) {}

std::uint32_t file_table::add_listing(std::uint32_t directory, listing&& content) {
    std::unique_ptr<char[]> names(new char[content.names.size()]);
    std::memcpy(names.get(), content.names.data(), content.names.size());
    for (file_record& file : content.files) file.directory = directory;

    const std::lock_guard lock(mutex_);
    const auto first_subdirectory = static_cast<std::uint32_t>(directories_.size());
    directories_[directory].names = std::move(names);
    files_.insert(files_.end(), content.files.begin(), content.files.end());
    for (const std::uint32_t name : content.subdirectories) {
        directory_entry entry;
        entry.parent = directory;
        entry.name = name;
        directories_.push_back(std::move(entry));
    }
    return first_subdirectory;
}

std::uint32_t file_table::add_linked_directory(std::uint32_t directory, std::uint32_t name) {
    const std::lock_guard lock(mutex_);
    directory_entry entry;
    entry.parent = directory;
    entry.name = name;
    directories_.push_back(std::move(entry));
    return static_cast<std::uint32_t>(directories_.size() - 1);
}

void file_table::add_linked_file(const file_record& file) {
    const std::lock_guard lock(mutex_);
    files_.push_back(file);
}

std::uint16_t file_table::device_index(dev_t device) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find(devices_.begin(), devices_.end(), device);
    if (found != devices_.end()) return static_cast<std::uint16_t>(found - devices_.begin());
    if (devices_.size() > UINT16_MAX) throw std::length_error("more than 65536 file systems");
    devices_.push_back(device);
    return static_cast<std::uint16_t>(devices_.size() - 1);
}

std::string file_table::path(const file_record& file) const {
    std::string out;
    append_directory_path(out, file.directory);
    const char* name = directories_[file.directory].names.get() + file.name;
    return file.directory == arguments ? std::string(name) : join_path(out, name);
}

void file_table::append_directory_path(std::string& out, std::uint32_t directory) const {
    // From the leaf up, then written from the root down: no recursion, as a tree may be very deep.
    std::vector<const char*> names;
    while (directory != arguments) {
        const directory_entry& entry = directories_[directory];
        names.push_back(directories_[entry.parent].names.get() + entry.name);
        directory = entry.parent;
    }
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        if (name != names.rbegin() && !out.ends_with('/')) out += '/';
        out += *name;
    }
}

std::string join_path(std::string_view directory, std::string_view name) {
    std::string out;
    out.reserve(directory.size() + 1 + name.size());
    out += directory;
    if (!directory.ends_with('/')) out += '/';
    out += name;
    return out;
}

}  // namespace find_duplicates
