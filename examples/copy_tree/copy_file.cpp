#include "copy_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <span>
#include <stdexcept>

namespace copy_tree {
namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;

/// A name next to the final one, that goes unless it is renamed.
class temporary_name {
public:
    explicit temporary_name(const fs::path& final_name) {
        static std::atomic<unsigned> number{0};
        path_ = final_name.parent_path() /
                (".copy_tree-" + std::to_string(::getpid()) + "-" + std::to_string(number.fetch_add(1)));
    }
    temporary_name(const temporary_name&) = delete;
    temporary_name& operator=(const temporary_name&) = delete;
    ~temporary_name() {
        if (!kept_) ::unlink(path_.c_str());
    }
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }
    void keep() noexcept { kept_ = true; }

private:
    fs::path path_;
    bool kept_ = false;
};

struct range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// The first part of the file from `offset` on that is no hole; empty behind the last one.
range next_data(const coex::file& in, std::uint64_t offset, std::uint64_t size) {
    const off_t begin = ::lseek(in.native_handle(), static_cast<off_t>(offset), SEEK_DATA);
    if (begin < 0) return errno == ENXIO ? range{size, size} : range{offset, size};
    const off_t end = ::lseek(in.native_handle(), begin, SEEK_HOLE);
    return {static_cast<std::uint64_t>(begin), end < 0 ? size : static_cast<std::uint64_t>(end)};
}

coex::task<void> write_all(coex::file& out, std::uint64_t offset, std::span<const std::byte> data) {
    while (!data.empty()) {
        const std::size_t count = co_await out.write_at(offset, data);
        offset += count;
        data = data.subspan(count);
    }
}

/// Copies a range. Between files of one file system the kernel does it, and may share the blocks. Returns false when
/// the source ends before.
coex::task<bool> copy_data(job& of, coex::file& in, coex::file& out, range part, bool in_kernel) {
    std::vector<std::byte> block(in_kernel ? 0 : piece_bytes);
    while (part.begin < part.end) {
        const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, part.end - part.begin));
        std::size_t count = 0;
        if (in_kernel) {
            count = co_await coex::copy_range(in, part.begin, out, part.begin, length);
        } else {
            count = co_await in.read_at(part.begin, std::span(block).first(length));
            co_await write_all(out, part.begin, std::span<const std::byte>(block).first(count));
        }
        if (count == 0) co_return false;
        part.begin += count;
        of.bytes.fetch_add(count);
    }
    co_return true;
}

coex::task<void> copy_contents(job& of, coex::file& in, coex::file& out, const coex::file_info& info) {
    const coex::file_info made = co_await out.statx();
    std::uint64_t offset = 0;
    while (offset < info.size) {
        auto find = [&in, offset, size = info.size] { return next_data(in, offset, size); };
        const range part = co_await coex::blocking(find);
        const bool whole = co_await copy_data(of, in, out, part, made.device == info.device);
        if (!whole) throw std::runtime_error("it became shorter meanwhile; copy again when nobody writes to it");
        offset = part.end;
    }
    // Also makes a hole at the end, which nothing was written to.
    co_await out.resize(info.size);
}

coex::task<void> copy_regular(job& of, const fs::path& from, const fs::path& temporary, const coex::file_info& info) {
    coex::file in = co_await coex::open_file(of.source, from, coex::open_mode::read | coex::open_mode::no_follow);
    const auto mode = coex::open_mode::write | coex::open_mode::create | coex::open_mode::exclusive;
    coex::file out = co_await coex::open_file(of.target, temporary, mode, 0600);
    co_await copy_contents(of, in, out, info);
    if (of.wanted.sync) co_await out.fsync();
    co_await out.close();
}

coex::task<void> copy_under(job& of, const fs::path& from, const fs::path& temporary, const coex::file_info& info) {
    if (info.type == coex::file_type::symbolic_link) {
        auto read = [&from] { return fs::read_symlink(from); };
        const fs::path leads_to = co_await coex::blocking(read);
        co_await coex::make_symlink(leads_to, temporary);
    } else {
        co_await copy_regular(of, from, temporary, info);
    }
    auto finish = [&temporary, &info] { set_attributes(temporary, info); };
    co_await coex::blocking(finish);
}

bool is_there(const fs::path& name) {
    return fs::symlink_status(name).type() != fs::file_type::not_found;
}

}  // namespace

void set_attributes(const fs::path& which, const coex::file_info& like) {
    const auto stamp = [](coex::file_info::time_point time) {
        const auto since = time.time_since_epoch();
        const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
        return timespec{static_cast<time_t>(seconds.count()), static_cast<long>((since - seconds).count())};
    };
    const bool is_link = like.type == coex::file_type::symbolic_link;
    // Running as another user is not to be handed on with a file that now belongs to somebody else.
    const bool same_owner = like.user == ::geteuid() && like.group == ::getegid();
    const auto mode = static_cast<mode_t>(like.permissions & (same_owner ? 07777U : 01777U));
    if (!is_link && ::chmod(which.c_str(), mode) != 0) {
        throw std::system_error(errno, std::generic_category(), "set the mode of '" + which.native() + "'");
    }
    const std::array<timespec, 2> times = {stamp(like.accessed), stamp(like.modified)};
    if (::utimensat(AT_FDCWD, which.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
        throw std::system_error(errno, std::generic_category(), "set the times of '" + which.native() + "'");
    }
}

coex::task<void> copy_file(job& of, permit mine, fs::path from, fs::path to, coex::file_info info) {
    const permit held(std::move(mine));
    try {
        // Told before anything is read; the renaming refuses what comes meanwhile.
        auto look = [&to] { return is_there(to); };
        if (!of.wanted.replace && co_await coex::blocking(look)) {
            throw std::system_error(EEXIST, std::generic_category(), "'" + to.native() + "'");
        }
        temporary_name temporary(to);
        co_await copy_under(of, from, temporary.path(), info);
        const auto replace = of.wanted.replace ? coex::replace_existing::yes : coex::replace_existing::no;
        co_await coex::rename_path(temporary.path(), to, replace);
        temporary.keep();
        of.files.fetch_add(1);
    } catch (const std::system_error& error) {
        of.report(from, error.what(), error.code().value());
    } catch (const std::exception& error) {
        of.report(from, error.what());
    }
}

}  // namespace copy_tree
