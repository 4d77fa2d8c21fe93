#pragma once

#include "directory_reader.hpp"
#include "search_context.hpp"

#include <exec/exec.hpp>

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace find_duplicates {

/// A directory or file given by the user.
struct root {
    std::string path;
    file_status status;
};

/// Finds all regular files below the roots and puts them into the context's table.
///
/// One task for each directory, on the pool of the directory's device. It blocks a worker of that pool in the kernel;
/// that is what these workers are for. A directory is open only while it is read, so the number of open directories is
/// at most that of the workers, however large the tree.
///
/// Thread-safe: no; one run.
/// Invariants:
///   I1 What is found doesn't depend on who comes first: a root inside another root is walked as a root only, and
///   symbolic
///      links are followed after the walk of all real directories, one by one, in the order of their paths.
///   I2 No directory is walked twice when links are followed, so loops end.
class tree_walk {
public:
    explicit tree_walk(search_context& context) : context_(context) {}

    [[nodiscard]] coex::task<> run(std::vector<root> roots);

private:
    struct place {
        std::string path;
        std::uint32_t index;   // of the directory in the table
        file_identity parent;  // what is walked now: tells when another device begins
        dev_t root_device;
        bool is_start;  // a root or the target of a link: a link itself may be followed to it
    };
    struct pending_link {
        std::string path;
        std::uint32_t directory;
        std::uint32_t name;  // offset into the names of the directory
        dev_t root_device;
    };

    [[nodiscard]] coex::task<> walk_directory(place where);
    [[nodiscard]] std::vector<coex::task<>> read_directory(directory_reader& reader, const place& where,
                                                           const file_identity& identity);
    [[nodiscard]] bool read_entry(directory_reader& reader, const directory_reader::entry& entry, const place& where,
                                  const file_identity& identity, listing& content);
    [[nodiscard]] coex::task<> follow_links();
    [[nodiscard]] coex::task<> follow(const pending_link& link);
    [[nodiscard]] bool shall_enter(const place& where, const file_identity& identity);
    [[nodiscard]] bool is_excluded(std::string_view directory, const char* name) const;
    [[nodiscard]] bool is_wanted(const file_status& status) const noexcept;
    [[nodiscard]] file_record record_of(const file_status& status);
    void add_root_entries(const std::vector<root>& roots, std::vector<coex::task<>>& walks);

    search_context& context_;
    std::set<file_identity> roots_;  // directories; constant during the walk
    std::mutex mutex_;
    // OWNER: mutex_
    std::set<file_identity> entered_;  // only used when links are followed
    std::vector<pending_link> links_;
};

}  // namespace find_duplicates
