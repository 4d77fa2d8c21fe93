#include "walk.hpp"

#include "copy_file.hpp"

#include <algorithm>
#include <cerrno>

namespace copy_tree {
namespace {

struct pair_of_paths {
    fs::path from;
    fs::path to;
};

/// Makes the directory, unless it is there.
void make_directory_at(const fs::path& where, bool may_be_link) {
    std::error_code error;
    if (fs::create_directory(where, error)) {
        // Nobody else looks in before its mode is set.
        fs::permissions(where, fs::perms::owner_all);
        return;
    }
    if (error && error != std::errc::file_exists) {
        throw std::system_error(error.value(), std::generic_category(), "make directory '" + where.native() + "'");
    }
    const fs::file_status there = may_be_link ? fs::status(where) : fs::symlink_status(where);
    if (fs::is_directory(there)) return;
    throw std::system_error(ENOTDIR, std::generic_category(), "'" + where.native() + "' is there");
}

std::vector<fs::path> names_in(const fs::path& directory) {
    std::vector<fs::path> names;
    for (const fs::directory_entry& each : fs::directory_iterator(directory)) names.push_back(each.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

/// The walk: one coroutine, which keeps the directories that it has not entered yet.
class walker {
public:
    walker(job& of, coex::counting_scope& copies) : job_(of), copies_(copies) {}

    coex::task<void> run() {
        co_await job_.source.schedule();
        pair_of_paths all{job_.wanted.source, job_.wanted.target};
        co_await visit(std::move(all));
        while (!to_enter_.empty()) {
            const pair_of_paths next = std::move(to_enter_.back());
            to_enter_.pop_back();
            co_await enter(next);
        }
    }

private:
    coex::task<void> visit(pair_of_paths what) {
        try {
            const coex::file_info info = co_await coex::statx(job_.source, what.from, coex::follow_links::no);
            switch (info.type) {
                case coex::file_type::directory:
                    co_await make(what, info);
                    break;
                case coex::file_type::regular:
                case coex::file_type::symbolic_link:
                    co_await start_copy(what, info);
                    break;
                default:
                    job_.report(what.from, "it is neither a file, a directory nor a symbolic link");
                    break;
            }
        } catch (const std::system_error& error) {
            job_.report(what.from, error.what(), error.code().value());
        }
    }

    coex::task<void> make(const pair_of_paths& what, const coex::file_info& info) {
        auto call = [&to = what.to, root = what.to == job_.wanted.target] { make_directory_at(to, root); };
        co_await coex::blocking(call);
        job_.directories.push_back({what.to, info});
        to_enter_.push_back(what);
    }

    coex::task<void> start_copy(const pair_of_paths& what, const coex::file_info& info) {
        if (info.links > 1) {
            const auto [place, is_first] = job_.first_names.try_emplace({info.device, info.inode}, what.to);
            if (!is_first) {
                job_.further_names.emplace_back(place->second, what.to);
                co_return;
            }
        }
        co_await job_.permits.acquire();
        permit mine(job_);
        coex::spawn(copy_file(job_, std::move(mine), what.from, what.to, info), copies_.get_token());
    }

    coex::task<void> enter(const pair_of_paths& where) {
        try {
            auto list = [&from = where.from] { return names_in(from); };
            const std::vector<fs::path> names = co_await coex::blocking(list);
            for (const fs::path& name : names) {
                pair_of_paths inside{where.from / name, where.to / name};
                co_await visit(std::move(inside));
            }
        } catch (const std::system_error& error) {
            job_.report(where.from, error.what(), error.code().value());
        }
    }

    job& job_;
    coex::counting_scope& copies_;
    std::vector<pair_of_paths> to_enter_;
};

coex::task<void> link(job& of, const fs::path& first, const fs::path& further) {
    try {
        if (of.wanted.replace) {
            auto remove = [&further] { return fs::remove(further); };
            static_cast<void>(co_await coex::blocking(remove));
        }
        co_await coex::make_link(first, further);
        of.files.fetch_add(1);
    } catch (const std::system_error& error) {
        of.report(further, error.what(), error.code().value());
    }
}

}  // namespace

coex::task<void> walk(job& of, coex::counting_scope& copies) {
    walker inner(of, copies);
    co_await inner.run();
}

coex::task<void> finish(job& of) {
    co_await of.target.schedule();
    for (const auto& [first, further] : of.further_names) co_await link(of, first, further);
    for (auto each = of.directories.rbegin(); each != of.directories.rend(); ++each) {
        try {
            auto call = [&made = *each] { set_attributes(made.path, made.like); };
            co_await coex::blocking(call);
        } catch (const std::system_error& error) {
            of.report(each->path, error.what(), error.code().value());
        }
    }
}

}  // namespace copy_tree
