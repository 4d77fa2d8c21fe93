#include "walk.hpp"

#include "text_encoding.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace find_duplicates {
namespace {

using namespace std::chrono_literals;

constexpr int open_attempts = 200;  // with a pause between them: a second in all

bool is_out_of_descriptors(const std::error_code& error) noexcept {
    return error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system;
}

unsigned char type_of(mode_t mode) noexcept {
    return static_cast<unsigned char>(IFTODT(mode));
}

}  // namespace

coex::task<> tree_walk::run(std::vector<root> roots) {
    std::vector<coex::task<>> walks;
    add_root_entries(roots, walks);
    co_await coex::when_all(std::move(walks));
    if (context_.wanted.symbolic_links == link_policy::follow) co_await follow_links();
}

void tree_walk::add_root_entries(const std::vector<root>& roots, std::vector<coex::task<>>& walks) {
    listing content;
    std::vector<const root*> directories;
    for (const root& each : roots) {
        const std::uint32_t name = content.add_name(each.path);
        if (S_ISDIR(each.status.mode)) {
            if (!roots_.insert(each.status.identity).second) continue;
            content.subdirectories.push_back(name);
            directories.push_back(&each);
        } else if (!S_ISREG(each.status.mode)) {
            context_.counters.special_files.fetch_add(1);
        } else if (is_wanted(each.status)) {
            content.files.push_back(record_of(each.status));
            content.files.back().name = name;
            content.files.back().through_link =
                true;  // the argument may be a symbolic link: opened as what it leads to
            context_.counters.files.fetch_add(1);
            context_.counters.bytes.fetch_add(each.status.size);
        }
    }
    std::uint32_t index = context_.files.add_listing(file_table::arguments, std::move(content));
    for (const root* each : directories) {
        const file_identity& identity = each->status.identity;
        walks.push_back(walk_directory(place{each->path, index++, identity, identity.device, true}));
    }
}

coex::task<> tree_walk::walk_directory(place where) {
    co_await context_.pools.for_dev(where.parent.device).schedule();
    if (context_.stop.stop_requested()) co_return;
    std::vector<coex::task<>> subdirectories;
    {
        directory_reader reader;
        const link_target target = where.is_start ? link_target::target : link_target::itself;
        std::error_code error = reader.open(where.path.c_str(), target);
        for (int attempt = 1; is_out_of_descriptors(error) && attempt < open_attempts; ++attempt) {
            co_await coex::sleep_for(5ms);
            error = reader.open(where.path.c_str(), target);
        }
        file_status status;
        if (!error) error = read_status(reader.fd(), status);
        if (error) {
            context_.problems.add(where.path, "cannot open the directory", error);
            co_return;
        }
        if (!shall_enter(where, status.identity)) co_return;
        if (status.identity.device != where.parent.device) {
            co_await context_.pools.for_dev(status.identity.device).schedule();
        }
        subdirectories = read_directory(reader, where, status.identity);
    }
    co_await coex::when_all(std::move(subdirectories));
}

bool tree_walk::shall_enter(const place& where, const file_identity& identity) {
    if (context_.wanted.mounts == mount_policy::stay && identity.device != where.root_device) return false;
    if (!where.is_start && roots_.contains(identity)) return false;
    if (context_.wanted.symbolic_links == link_policy::skip) return true;
    const std::lock_guard lock(mutex_);
    return entered_.insert(identity).second;
}

std::vector<coex::task<>> tree_walk::read_directory(directory_reader& reader, const place& where,
                                                    const file_identity& identity) {
    if (const std::error_code error = reader.read_all()) {
        context_.problems.add(where.path, "cannot read the whole directory", error);
    }
    listing content;
    for (const directory_reader::entry& entry : reader.entries()) {
        if (context_.stop.stop_requested()) return {};
        if (!read_entry(reader, entry, where, identity, content)) continue;
        content.subdirectories.push_back(content.add_name(reader.name(entry)));
    }
    std::uint64_t bytes = 0;
    for (const file_record& file : content.files) bytes += file.size;
    context_.counters.files.fetch_add(content.files.size());
    context_.counters.bytes.fetch_add(bytes);
    context_.progress.advance(content.files.size());

    std::vector<std::string> names;
    names.reserve(content.subdirectories.size());
    for (const std::uint32_t name : content.subdirectories) names.emplace_back(content.names.c_str() + name);
    std::uint32_t index = context_.files.add_listing(where.index, std::move(content));

    std::vector<coex::task<>> subdirectories;
    subdirectories.reserve(names.size());
    for (const std::string& name : names) {
        subdirectories.push_back(
            walk_directory(place{join_path(where.path, name), index++, identity, where.root_device, false}));
    }
    return subdirectories;
}

/// Puts a file or a link where it belongs. Returns whether the entry is a directory to be walked.
bool tree_walk::read_entry(directory_reader& reader, const directory_reader::entry& entry, const place& where,
                           const file_identity& identity, listing& content) {
    const char* name = reader.name(entry);
    if (is_excluded(where.path, name)) return false;
    unsigned char type = entry.type;
    file_status status;
    if (type == DT_REG || type == DT_UNKNOWN) {
        if (const std::error_code error = read_status(reader.fd(), name, link_target::itself, status)) {
            context_.problems.add(join_path(where.path, name), "cannot read the status", error);
            return false;
        }
        type = type_of(status.mode);
    }
    if (type == DT_DIR) return true;
    if (type == DT_LNK && context_.wanted.symbolic_links == link_policy::follow) {
        pending_link link{join_path(where.path, name), where.index, content.add_name(name), where.root_device};
        const std::lock_guard lock(mutex_);
        links_.push_back(std::move(link));
    } else if (type == DT_LNK) {
        context_.counters.symbolic_links.fetch_add(1);
    } else if (type != DT_REG) {
        context_.counters.special_files.fetch_add(1);
    } else if (is_wanted(status)) {
        // A single file can be a mount point too.
        const bool is_elsewhere = status.identity.device != identity.device;
        if (is_elsewhere && context_.wanted.mounts == mount_policy::stay) return false;
        content.files.push_back(record_of(status));
        content.files.back().name = content.add_name(name);
    }
    return false;
}

coex::task<> tree_walk::follow_links() {
    // Walking what links lead to finds more links; each round takes those of the round before.
    while (!links_.empty()) {
        std::vector<pending_link> round = std::exchange(links_, {});
        std::sort(round.begin(), round.end(),
                  [](const pending_link& a, const pending_link& b) { return a.path < b.path; });
        for (const pending_link& link : round) {
            if (context_.stop.stop_requested()) co_return;
            co_await follow(link);
        }
    }
}

coex::task<> tree_walk::follow(const pending_link& link) {
    file_status status;
    if (read_status(AT_FDCWD, link.path.c_str(), link_target::target, status)) {
        context_.counters.broken_links.fetch_add(1);
        co_return;
    }
    const file_identity identity = status.identity;
    if (context_.wanted.mounts == mount_policy::stay && identity.device != link.root_device) co_return;
    if (S_ISDIR(status.mode)) {
        if (entered_.contains(identity)) co_return;
        const std::uint32_t index = context_.files.add_linked_directory(link.directory, link.name);
        coex::task<> walk = walk_directory(place{link.path, index, identity, link.root_device, true});
        co_await std::move(walk);
    } else if (!S_ISREG(status.mode)) {
        context_.counters.special_files.fetch_add(1);
    } else if (is_wanted(status)) {
        file_record file = record_of(status);
        file.directory = link.directory;
        file.name = link.name;
        file.through_link = true;
        context_.files.add_linked_file(file);
        context_.counters.files.fetch_add(1);
        context_.counters.bytes.fetch_add(status.size);
        context_.progress.advance(1);
    }
}

bool tree_walk::is_excluded(std::string_view directory, const char* name) const {
    return std::any_of(context_.wanted.exclude.begin(), context_.wanted.exclude.end(), [&](const std::string& glob) {
        if (glob.find('/') == std::string::npos) return ::fnmatch(glob.c_str(), name, 0) == 0;
        return ::fnmatch(glob.c_str(), join_path(directory, name).c_str(), 0) == 0;
    });
}

bool tree_walk::is_wanted(const file_status& status) const noexcept {
    return status.size >= context_.wanted.min_size && status.size <= context_.wanted.max_size;
}

file_record tree_walk::record_of(const file_status& status) {
    static const uid_t user = ::geteuid();
    file_record file;
    file.size = status.size;
    file.inode = status.identity.inode;
    file.modified = status.modified;
    file.device = context_.files.device_index(status.identity.device);
    file.is_own = user == 0 || status.owner == user;
    return file;
}

}  // namespace find_duplicates
