#include "pool/spare_stack.hpp"

#include <exec/base/config.hpp>
#include <exec/coro/coroutine_base.hpp>

#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>

#if COEX_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif
#if COEX_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace coex::inline v0::detail {
namespace {

constexpr std::size_t usual_bytes = std::size_t{8} * 1024 * 1024;

std::size_t bytes_of_own_stack() noexcept {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return usual_bytes;
    std::size_t bytes = 0;
    const int failed = pthread_attr_getstacksize(&attributes, &bytes);
    pthread_attr_destroy(&attributes);
    return failed != 0 ? usual_bytes : bytes;
}

/// Pages for a stack, above one that must not be touched.
class stack_memory {
public:
    explicit stack_memory(std::size_t bytes) noexcept : guard_(static_cast<std::size_t>(getpagesize())) {
        bytes_ = (bytes + guard_ - 1) / guard_ * guard_;
        void* const mapped = mmap(nullptr, guard_ + bytes_, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (mapped == MAP_FAILED) return;
        mapped_ = static_cast<std::byte*>(mapped);
        mprotect(mapped_, guard_, PROT_NONE);  // without it an overflow would only be harder to find
    }
    stack_memory(const stack_memory&) = delete;
    stack_memory& operator=(const stack_memory&) = delete;
    ~stack_memory() {
        if (mapped_ != nullptr) munmap(mapped_, guard_ + bytes_);
    }

    [[nodiscard]] bool exists() const noexcept { return mapped_ != nullptr; }
    [[nodiscard]] std::byte* lowest() const noexcept { return mapped_ + guard_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    std::size_t guard_;
    std::size_t bytes_ = 0;
    std::byte* mapped_ = nullptr;
};

/// The sanitizers follow a thread's stack, and must be told when it is another. Inlined: they also count calls and
/// returns, which would no longer match.
class switch_notes {
public:
#if COEX_ADDRESS_SANITIZER
    COEX_ALWAYS_INLINE void before_entry(const stack_memory& to) noexcept {
        __sanitizer_start_switch_fiber(&frames_, to.lowest(), to.bytes());
    }
    COEX_ALWAYS_INLINE void after_entry() noexcept { __sanitizer_finish_switch_fiber(nullptr, &lowest_, &bytes_); }
    COEX_ALWAYS_INLINE void before_return() noexcept { __sanitizer_start_switch_fiber(nullptr, lowest_, bytes_); }
    COEX_ALWAYS_INLINE void after_return() noexcept { __sanitizer_finish_switch_fiber(frames_, nullptr, nullptr); }

private:
    void* frames_ = nullptr;
    const void* lowest_ = nullptr;
    std::size_t bytes_ = 0;
#elif COEX_THREAD_SANITIZER
    COEX_ALWAYS_INLINE void before_entry(const stack_memory&) noexcept { __tsan_switch_to_fiber(entered_, 0); }
    COEX_ALWAYS_INLINE void after_entry() noexcept {}
    COEX_ALWAYS_INLINE void before_return() noexcept { __tsan_switch_to_fiber(left_, 0); }
    COEX_ALWAYS_INLINE void after_return() noexcept { __tsan_destroy_fiber(entered_); }

private:
    void* left_ = __tsan_get_current_fiber();
    void* entered_ = __tsan_create_fiber(0);
#else
    COEX_ALWAYS_INLINE void before_entry(const stack_memory&) noexcept {}
    COEX_ALWAYS_INLINE void after_entry() noexcept {}
    COEX_ALWAYS_INLINE void before_return() noexcept {}
    COEX_ALWAYS_INLINE void after_return() noexcept {}
#endif
};

struct spare_call {
    void (*function)(void*) noexcept;
    void* argument;
    ucontext_t caller{};
    ucontext_t callee{};
    switch_notes notes{};
};

// makecontext() passes ints.
void enter(unsigned high, unsigned low) noexcept {
    auto& call = *reinterpret_cast<spare_call*>((std::uintptr_t{high} << 32) | low);
    call.notes.after_entry();
    call.function(call.argument);
    call.notes.before_return();
    setcontext(&call.caller);
}

}  // namespace

bool call_on_spare_stack(void (*function)(void*) noexcept, void* argument) noexcept {
    const stack_memory memory(bytes_of_own_stack());
    spare_call call{function, argument};
    if (!memory.exists() || getcontext(&call.callee) != 0) return false;
    call.callee.uc_stack.ss_sp = memory.lowest();
    call.callee.uc_stack.ss_size = memory.bytes();
    call.callee.uc_link = nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(&call);
    makecontext(&call.callee, reinterpret_cast<void (*)()>(&enter), 2, static_cast<unsigned>(address >> 32),
                static_cast<unsigned>(address));
    const std::uintptr_t limit_here = stack_limit;
    stack_limit = stack_limit_within(reinterpret_cast<std::uintptr_t>(memory.lowest()), memory.bytes());
    call.notes.before_entry(memory);
    swapcontext(&call.caller, &call.callee);
    call.notes.after_return();
    stack_limit = limit_here;
    return true;
}

}  // namespace coex::inline v0::detail
