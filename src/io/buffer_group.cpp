#include "io/buffer_group.hpp"

#include <exec/base/exceptions.hpp>

#include <new>

namespace coex::inline v0::detail {

buffer_group::~buffer_group() {
    for (std::byte* const each : kept_) delete[] each;
}

std::byte* buffer_group::take() {
    std::byte* memory = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (!kept_.empty()) {
            memory = kept_.back();
            kept_.pop_back();
        }
    }
    if (memory == nullptr) memory = new std::byte[stride_];
    count_one_more();
    return memory;
}

void buffer_group::give_back(std::byte* memory, std::uint16_t) noexcept {
    count_one_less();
    COEX_TRY {
        const std::lock_guard lock(mutex_);
        if (kept_.size() < count_) {
            kept_.push_back(memory);
            return;
        }
    }
    COEX_CATCH(const std::bad_alloc&) {
        // Then it is not kept.
    }
    delete[] memory;
}

}  // namespace coex::inline v0::detail
