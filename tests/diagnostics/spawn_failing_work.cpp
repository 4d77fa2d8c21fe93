// expect: this work can fail, and the scope of this token has nobody who would learn of it
#include <exec/algo/just.hpp>
#include <exec/algo/spawn.hpp>

struct association {
    explicit operator bool() const noexcept { return true; }
    association try_associate() const noexcept { return {}; }
};
struct token {
    association try_associate() const noexcept { return {}; }
    template <coex::sender Sender>
    Sender&& wrap(Sender&& sender) const noexcept {
        return static_cast<Sender&&>(sender);
    }
};

void mistake() {
    coex::spawn(coex::just_error(1), token());
}
