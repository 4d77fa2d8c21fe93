#include "search.hpp"

#include "candidates.hpp"
#include "hash_stage.hpp"
#include "physical_order.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace find_duplicates {
namespace {

// What one random read gets at hardly more than the price of its first byte.
constexpr std::uint32_t prefix_bytes = 4 * 1024;
constexpr std::uint32_t prefix_bytes_if_seeking = 16 * 1024;

/// Gives all files of a group the same prefix: the larger one if any of them is on a disk that seeks.
void choose_prefixes(search_context& context, std::vector<candidate>& candidates) {
    std::vector<bool> seeks(context.files.device_count());
    for (std::size_t i = 0; i < seeks.size(); ++i) {
        seeks[i] = is_order_important(context, context.files.device(static_cast<std::uint16_t>(i)));
    }
    const auto of = [&](const candidate& each) {
        return seeks[context.files.files()[each.file].device] ? prefix_bytes_if_seeking : prefix_bytes;
    };
    for (auto begin = candidates.begin(); begin != candidates.end();) {
        std::uint32_t largest = 0;
        auto end = begin;
        for (; end != candidates.end() && end->group == begin->group; ++end) largest = std::max(largest, of(*end));
        for (; begin != end; ++begin) begin->prefix = largest;
    }
}

std::uint64_t total_bytes(const search_context& context, const std::vector<candidate>& candidates) {
    std::uint64_t total = 0;
    for (const candidate& each : candidates) total += context.files.files()[each.file].size;
    return total;
}

duplicate_file describe(const search_context& context, const candidate& of, const std::vector<alias>& aliases) {
    const auto path = [&](std::uint32_t file) { return context.files.path(context.files.files()[file]); };
    duplicate_file result;
    result.path = path(of.file);
    if (context.wanted.hard_links == hard_link_policy::count_once) return result;
    auto other = std::lower_bound(aliases.begin(), aliases.end(), of.file,
                                  [](const alias& a, std::uint32_t file) { return a.representative < file; });
    for (; other != aliases.end() && other->representative == of.file; ++other) {
        // The same path twice is no further name: an argument was given twice.
        if (std::string name = path(other->file); name != result.path) result.hard_links.push_back(std::move(name));
    }
    std::sort(result.hard_links.begin(), result.hard_links.end());
    const auto last = std::unique(result.hard_links.begin(), result.hard_links.end());
    result.hard_links.erase(last, result.hard_links.end());
    return result;
}

search_result describe(const search_context& context, const std::vector<candidate>& done,
                       const std::vector<alias>& aliases) {
    search_result result;
    const candidate* former = nullptr;
    for (const candidate& each : done) {
        const std::uint64_t size = context.files.files()[each.file].size;
        if (former == nullptr || former->group != each.group || context.files.files()[former->file].size != size) {
            result.emplace_back().size = size;
        }
        result.back().files.push_back(describe(context, each, aliases));
        former = &each;
    }
    for (duplicate_group& group : result) {
        std::sort(group.files.begin(), group.files.end(),
                  [](const duplicate_file& a, const duplicate_file& b) { return a.path < b.path; });
    }
    std::sort(result.begin(), result.end(), [](const duplicate_group& a, const duplicate_group& b) {
        if (a.size != b.size) return a.size > b.size;
        return a.files.front().path < b.files.front().path;
    });
    return result;
}

}  // namespace

coex::task<search_result> search(search_context& context, std::vector<root> roots) {
    context.progress.begin("looking for files", 0, progress_line::unit::items);
    tree_walk walk(context);
    co_await walk.run(std::move(roots));
    if (context.stop.stop_requested()) co_return search_result();

    const auto size_of = [&](const candidate& each) { return context.files.files()[each.file].size; };
    size_groups groups = group_by_size(context.files);
    std::vector<candidate> done;
    std::vector<candidate>& candidates = groups.candidates;
    take_done(candidates, done, [&](const candidate& each) { return size_of(each) == 0; });
    choose_prefixes(context, candidates);
    co_await find_places(context, candidates);

    context.progress.begin("comparing beginnings", candidates.size(), progress_line::unit::items);
    co_await hash_stage(context, candidates, stage::prefix);
    regroup_by_digest(candidates);
    take_done(candidates, done, [&](const candidate& each) { return size_of(each) <= each.prefix; });

    context.progress.begin("comparing contents", total_bytes(context, candidates), progress_line::unit::bytes);
    co_await hash_stage(context, candidates, stage::content);
    regroup_by_digest(candidates);
    done.insert(done.end(), candidates.begin(), candidates.end());
    co_return describe(context, done, groups.aliases);
}

}  // namespace find_duplicates
