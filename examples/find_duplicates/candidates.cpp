#include "candidates.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <utility>

namespace find_duplicates {
namespace {

struct sized_file {
    std::uint64_t size;
    std::uint32_t file;
};

bool is_same_file(const file_record& a, const file_record& b) noexcept {
    return a.device == b.device && a.inode == b.inode;
}

/// The files of one size, one after the other; those with several names made one.
class group_builder {
public:
    group_builder(const file_table& table, size_groups& result) : table_(table), result_(result) {}

    /// Takes the files of one size; changes their order.
    void add(sized_file* begin, sized_file* end) {
        const auto identity = [this](const sized_file& of) {
            const file_record& file = table_.files()[of.file];
            return std::tuple(file.device, file.inode);
        };
        std::sort(begin, end, [&](const sized_file& a, const sized_file& b) { return identity(a) < identity(b); });
        const std::size_t group_start = result_.candidates.size();
        const std::size_t aliases_start = result_.aliases.size();
        for (sized_file* same = begin; same != end;) {
            sized_file* next = std::find_if(same, end, [&](const sized_file& other) {
                return !is_same_file(table_.files()[same->file], table_.files()[other.file]);
            });
            add_one(same, next);
            same = next;
        }
        if (result_.candidates.size() - group_start < 2) {
            result_.candidates.resize(group_start);
            result_.aliases.resize(aliases_start);
        } else {
            ++group_;
        }
    }

private:
    /// One file under all of its names. Its representative is the name with the least path that leads through no link.
    void add_one(sized_file* begin, sized_file* end) {
        if (end - begin > 1) {
            const auto key = [this](const sized_file& of) {
                const file_record& file = table_.files()[of.file];
                return std::pair(file.through_link, table_.path(file));
            };
            std::iter_swap(begin, std::min_element(begin, end, [&](const sized_file& a, const sized_file& b) {
                               return key(a) < key(b);
                           }));
        }
        candidate first;
        first.file = begin->file;
        first.group = group_;
        result_.candidates.push_back(first);
        for (const sized_file* other = begin + 1; other != end; ++other) {
            result_.aliases.push_back({begin->file, other->file});
        }
    }

    const file_table& table_;
    size_groups& result_;
    std::uint32_t group_ = 0;
};

/// Calls `function(begin, end)` for each run of candidates that `same` holds equal.
template <class Same, class Function>
void for_each_run(std::vector<candidate>& candidates, Same same, Function function) {
    for (auto begin = candidates.begin(); begin != candidates.end();) {
        const auto end =
            std::find_if(begin, candidates.end(), [&](const candidate& other) { return !same(*begin, other); });
        function(begin, end);
        begin = end;
    }
}

auto digest_key(const candidate& of) noexcept {
    return std::tuple(of.group, of.digest.high64, of.digest.low64);
}

}  // namespace

size_groups group_by_size(const file_table& table) {
    std::vector<sized_file> files;
    files.reserve(table.files().size());
    for (std::uint32_t i = 0; i < table.files().size(); ++i) files.push_back({table.files()[i].size, i});
    std::sort(files.begin(), files.end(), [](const sized_file& a, const sized_file& b) { return a.size < b.size; });
    size_groups result;
    group_builder builder(table, result);
    for (sized_file* begin = files.data(); begin != files.data() + files.size();) {
        sized_file* end = std::find_if(begin, files.data() + files.size(),
                                       [&](const sized_file& other) { return other.size != begin->size; });
        if (end - begin > 1) builder.add(begin, end);
        begin = end;
    }
    std::sort(result.aliases.begin(), result.aliases.end(),
              [](const alias& a, const alias& b) { return a.representative < b.representative; });
    return result;
}

void regroup_by_digest(std::vector<candidate>& candidates) {
    std::erase_if(candidates, [](const candidate& each) { return each.failed; });
    std::sort(candidates.begin(), candidates.end(),
              [](const candidate& a, const candidate& b) { return digest_key(a) < digest_key(b); });
    std::vector<candidate> kept;
    std::uint32_t group = 0;
    const auto same = [](const candidate& a, const candidate& b) { return digest_key(a) == digest_key(b); };
    for_each_run(candidates, same, [&](auto begin, auto end) {
        if (end - begin < 2) return;
        for (auto each = begin; each != end; ++each) {
            kept.push_back(*each);
            kept.back().group = group;
        }
        ++group;
    });
    candidates = std::move(kept);
}

void take_done(std::vector<candidate>& candidates, std::vector<candidate>& done,
               const std::function<bool(const candidate&)>& is_done) {
    std::vector<candidate> open;
    const auto same = [](const candidate& a, const candidate& b) { return a.group == b.group; };
    for_each_run(candidates, same, [&](auto begin, auto end) {
        std::vector<candidate>& target = is_done(*begin) ? done : open;
        target.insert(target.end(), begin, end);
    });
    candidates = std::move(open);
}

}  // namespace find_duplicates
