#include <exec/io/directory.hpp>

#include <fcntl.h>
#include <linux/openat2.h>

#include <array>
#include <system_error>

namespace coex::inline v0::detail {
namespace {

std::uint64_t native_rules(path_rules rules) noexcept {
    constexpr std::array<std::uint64_t, 5> bits = {RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS,
                                                   RESOLVE_BENEATH, RESOLVE_IN_ROOT};
    std::uint64_t native = 0;
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if ((static_cast<unsigned>(rules) & 1U << i) != 0) native |= bits[i];
    }
    return native;
}

}  // namespace

open_below_request::open_below_request(const directory& below, std::string path, open_mode mode, path_rules rules,
                                       unsigned permissions)
    : directory_(&below), path_(std::move(path)), mode_(mode), how_(new struct ::open_how()) {
    how_->flags = static_cast<std::uint64_t>(native_flags(mode)) | O_CLOEXEC;
    // openat2 refuses permissions that it has no use for.
    how_->mode = has(mode, open_mode::create) ? permissions : 0;
    how_->resolve = native_rules(rules);
}

open_below_request::open_below_request(open_below_request&&) noexcept = default;
open_below_request::~open_below_request() = default;

void open_below_request::prepare(io_request& request) noexcept {
    request.opcode = io_opcode::open_below;
    request.descriptor = directory_->native_handle();
    request.path = path_.c_str();
    request.flags = native_flags(mode_);
    request.mode = static_cast<unsigned>(how_->mode);
    request.buffer = how_.get();
    request.length = sizeof *how_;
}

result<file> open_below_request::result(int answer) {
    std::string whole = directory_->path() + "/" + path_;
    if (answer < 0) return io_failure(answer, "open_file", whole);
    file opened(directory_->pool(), answer, std::move(whole), mode_);
    return opened;
}

result<directory> open_directory_request::result(int answer) {
    coex::result<file> opened = open_request::result(answer, "open_directory");
    if (!opened) return failure{opened.error()};
    return directory(*std::move(opened));
}

}  // namespace coex::inline v0::detail
