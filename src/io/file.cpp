#include <exec/io/file.hpp>

#include "io/pollable_calls.hpp"

#include <exec/base/exceptions.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

namespace coex::inline v0 {

file::file(static_thread_pool& pool, int descriptor, std::string path) noexcept
    : pool_(&pool), descriptor_(descriptor), path_(std::move(path)) {
    if (descriptor < 0) return;
    const int flags = ::fcntl(descriptor, F_GETFL);
    direct_ = flags >= 0 && (flags & O_DIRECT) != 0;
}

file::file(static_thread_pool& pool, int descriptor, std::string path, open_mode mode) noexcept
    : pool_(&pool),
      descriptor_(descriptor),
      read_only_(!has(mode, open_mode::write)),
      direct_(has(mode, open_mode::direct)),
      path_(std::move(path)) {}

file::~file() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

namespace detail {
namespace {

std::string where(std::uint64_t offset, std::size_t length) {
    return " (" + std::to_string(length) + " bytes at offset " + std::to_string(offset) + ")";
}

file_type type_of(unsigned mode) noexcept {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return file_type::regular;
        case S_IFDIR:
            return file_type::directory;
        case S_IFLNK:
            return file_type::symbolic_link;
        case S_IFBLK:
            return file_type::block_device;
        case S_IFCHR:
            return file_type::character_device;
        case S_IFIFO:
            return file_type::pipe;
        case S_IFSOCK:
            return file_type::socket;
        default:
            return file_type::unknown;
    }
}

file_info::time_point time_of(const statx_timestamp& stamp) noexcept {
    return file_info::time_point(std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec));
}

}  // namespace

int native_flags(open_mode mode) noexcept {
    int flags = has(mode, open_mode::read_write) ? O_RDWR : has(mode, open_mode::write) ? O_WRONLY : O_RDONLY;
    if (has(mode, open_mode::create)) flags |= O_CREAT;
    if (has(mode, open_mode::exclusive)) flags |= O_EXCL;
    if (has(mode, open_mode::truncate)) flags |= O_TRUNC;
    if (has(mode, open_mode::append)) flags |= O_APPEND;
    if (has(mode, open_mode::no_atime)) flags |= O_NOATIME;
    if (has(mode, open_mode::no_follow)) flags |= O_NOFOLLOW;
    if (has(mode, open_mode::direct)) flags |= O_DIRECT;
    if (has(mode, open_mode::directory)) flags |= O_DIRECTORY;
    if (has(mode, open_mode::non_blocking)) flags |= O_NONBLOCK;
    return flags;
}

failure io_failure(int answer, std::string_view operation, std::string_view path, std::string_view details) {
    std::string what(operation);
    what.append(" '").append(path).append("'").append(details);
    return {std::make_exception_ptr(std::system_error(-answer, std::generic_category(), what))};
}

void open_request::prepare(io_request& request) noexcept {
    request.opcode = io_opcode::open;
    request.path = path_.c_str();
    request.flags = native_flags(mode_);
    request.mode = permissions_;
}

result<file> open_request::result(int answer, std::string_view operation) {
    if (answer < 0) return io_failure(answer, operation, path_);
    file opened(*pool_, answer, std::move(path_), mode_);
    return opened;
}

void read_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::read;
    request.direct = file_->direct_;
    request.descriptor = file_->native_handle();
    request.buffer = block_.data();
    request.length = block_.size();
    request.offset = offset_;
    request.in_thread = waits_in_call(request);
}

result<std::size_t> read_request::result(int answer) const {
    if (answer < 0) return io_failure(answer, "read_at", file_->path(), where(offset_, block_.size()));
    return static_cast<std::size_t>(answer);
}

void write_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::write;
    request.descriptor = file_->native_handle();
    request.buffer = const_cast<std::byte*>(block_.data());
    request.length = block_.size();
    request.offset = offset_;
    request.in_thread = waits_in_call(request);
}

result<std::size_t> write_request::result(int answer) const {
    if (answer < 0) return io_failure(answer, "write_at", file_->path(), where(offset_, block_.size()));
    return static_cast<std::size_t>(answer);
}

void append_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::write;
    request.descriptor = file_->native_handle();
    request.buffer = const_cast<std::byte*>(block_.data());
    request.length = block_.size();
    request.flags = RWF_APPEND;
}

result<std::size_t> append_request::result(int answer) const {
    if (answer < 0) {
        return io_failure(answer, "append", file_->path(), " (" + std::to_string(block_.size()) + " bytes)");
    }
    return static_cast<std::size_t>(answer);
}

void fsync_request::prepare(io_request& request) const noexcept {
    request.opcode = io_opcode::fsync;
    request.descriptor = file_->native_handle();
    request.flags = parts_ == what::data ? 1 : 0;
}

result<void> fsync_request::result(int answer) const {
    if (answer < 0) return io_failure(answer, parts_ == what::data ? "fdatasync" : "fsync", file_->path());
    return {};
}

close_request::~close_request() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void close_request::prepare(io_request& request) noexcept {
    request.opcode = io_opcode::close;
    request.read_only = file_->read_only_;
    // From here on the descriptor is the operation's: whatever happens, it is closed once.
    descriptor_ = std::exchange(file_->descriptor_, -1);
    request.descriptor = descriptor_;
}

result<void> close_request::result(int answer) {
    descriptor_ = -1;  // Linux has closed it, also when it reports an error
    if (answer < 0) return io_failure(answer, "close", file_->path());
    return {};
}

statx_request::statx_request(file& which) : file_(&which), status_(new struct ::statx()) {}
statx_request::statx_request(std::string path, follow_links links)
    : path_(std::move(path)), links_(links), status_(new struct ::statx()) {}
statx_request::statx_request(statx_request&&) noexcept = default;
statx_request::~statx_request() = default;

void statx_request::prepare(io_request& request) noexcept {
    request.opcode = io_opcode::statx;
    request.status = status_.get();
    if (file_ != nullptr) {
        request.descriptor = file_->native_handle();
    } else {
        request.path = path_.c_str();
        request.flags = links_ == follow_links::yes ? 0 : AT_SYMLINK_NOFOLLOW;
    }
}

result<file_info> statx_request::result(int answer) const {
    if (answer < 0) return io_failure(answer, "statx", file_ != nullptr ? file_->path() : path_);
    const struct ::statx& status = *status_;
    file_info info;
    info.type = type_of(status.stx_mode);
    info.permissions = status.stx_mode & 07777U;
    info.size = status.stx_size;
    info.allocated = status.stx_blocks * 512;
    info.device = makedev(status.stx_dev_major, status.stx_dev_minor);
    info.inode = status.stx_ino;
    info.links = status.stx_nlink;
    info.user = status.stx_uid;
    info.group = status.stx_gid;
    info.accessed = time_of(status.stx_atime);
    info.modified = time_of(status.stx_mtime);
    info.changed = time_of(status.stx_ctime);
    return info;
}

}  // namespace detail
}  // namespace coex::inline v0
