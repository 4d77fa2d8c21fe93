#include <exec/algo/scope_state.hpp>

#include <exec/base/assert.hpp>
#include <exec/base/exceptions.hpp>

#include <algorithm>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace coex::inline v0::detail {
namespace {

#ifdef NDEBUG
constexpr bool records_work = false;
#else
constexpr bool records_work = true;
#endif

constexpr std::size_t most_places_told = 8;

/// In place of the list of joiners once the scope is joined.
struct end_of_joiners final : scope_state::joiner {
    constexpr end_of_joiners() noexcept : joiner(nullptr) {}
};
constinit end_of_joiners end_mark;

}  // namespace

class scope_ledger {
public:
    /// The ledger of a scope, made by who comes first; null without memory.
    [[nodiscard]] static scope_ledger* of(std::atomic<scope_ledger*>& kept) noexcept {
        scope_ledger* ledger = kept.load();
        if (ledger != nullptr) return ledger;
        auto* const made = new (std::nothrow) scope_ledger;
        if (made == nullptr || kept.compare_exchange_strong(ledger, made)) return made;
        delete made;
        return ledger;
    }

    // Without memory the place is left out: the count is right all the same.
    void begun(const std::source_location& where) noexcept {
        const std::lock_guard lock(mutex_);
        if (place* const known = find(where)) {
            ++known->alive;
            return;
        }
        COEX_TRY {
            places_.push_back({where, 1});
        }
        COEX_CATCH(const std::bad_alloc&) {
            return;
        }
    }
    void ended(const std::source_location& where) noexcept {
        const std::lock_guard lock(mutex_);
        place* const known = find(where);
        if (known != nullptr && known->alive > 0) --known->alive;
    }

    [[nodiscard]] std::string alive() {
        const std::lock_guard lock(mutex_);
        std::string told;
        std::size_t left = most_places_told;
        for (const place& each : places_) {
            if (each.alive == 0) continue;
            if (left-- == 0) return told + ", ...";
            told += told.empty() ? ": " : ", ";
            told += std::to_string(each.alive) + " from " + each.where.file_name() + ":" +
                    std::to_string(each.where.line());
        }
        return told;
    }

private:
    struct place {
        std::source_location where;
        std::size_t alive;
    };

    [[nodiscard]] place* find(const std::source_location& where) noexcept {
        const auto found = std::find_if(places_.begin(), places_.end(), [&where](const place& each) {
            return each.where.line() == where.line() && each.where.column() == where.column() &&
                   std::string_view(each.where.file_name()) == where.file_name();
        });
        return found == places_.end() ? nullptr : &*found;
    }

    std::mutex mutex_;
    std::vector<place> places_;  // OWNER: mutex_
};

scope_state::~scope_state() {
    const std::size_t state = state_.load();
    if ((state & used) != 0 && (state & joined) == 0) fail_unjoined(state / one);
    delete ledger_.load();
}

bool scope_state::try_associate(const std::source_location& where) noexcept {
    std::size_t state = state_.load();
    do {
        if ((state & (closed | joined)) != 0 || state / one == max_associations) return false;
    } while (!state_.compare_exchange_weak(state, (state + one) | used));
    if constexpr (records_work) {
        if (scope_ledger* const ledger = scope_ledger::of(ledger_)) ledger->begun(where);
    }
    return true;
}

void scope_state::disassociate(const std::source_location& where) noexcept {
    if constexpr (records_work) {
        if (scope_ledger* const ledger = ledger_.load()) ledger->ended(where);
    }
    std::size_t state = state_.load();
    std::size_t next = 0;
    do {
        next = state - one;
        if (next / one == 0 && (next & joining) != 0) next |= joined;
    } while (!state_.compare_exchange_weak(state, next));
    // LIFETIME: unless this made the scope joined, another may have done so by now, and the scope be gone.
    if ((next & joined) != 0) complete_joiners();
}

bool scope_state::join(joiner& who) noexcept {
    std::size_t state = state_.load();
    bool made_joined = false;
    while ((state & joined) == 0) {
        made_joined = state / one == 0;
        if (state_.compare_exchange_weak(state, state | (made_joined ? joined : joining))) break;
        made_joined = false;
    }
    if (made_joined) {
        complete_joiners();
        return true;
    }
    joiner* first = joiners_.load();
    do {
        if (first == &end_mark) return true;
        who.next = first;
    } while (!joiners_.compare_exchange_weak(first, &who));
    return false;
}

void scope_state::complete_joiners() noexcept {
    joiner* each = joiners_.exchange(&end_mark);
    while (each != nullptr) {
        joiner* const next = each->next;
        // LIFETIME: the joiner, and the scope, may be gone when this returns [J2].
        each->joined(each);
        each = next;
    }
}

void scope_state::fail_unjoined(std::size_t alive) const noexcept {
    std::string message = std::string(name_) + ": destroyed without having been joined, ";
    if (alive == 0) {
        message +=
            "though its work has ended: await join() before the scope goes, it also rethrows what the work threw";
    } else {
        scope_ledger* const ledger = ledger_.load();
        message +=
            "while " + std::to_string(alive) + (alive == 1 ? " piece of work is" : " pieces of work are") + " alive";
        if (ledger != nullptr) message += ledger->alive();
        message += "; await join() before the scope goes, after request_stop() if the work has no end of its own";
    }
    fail_requirement("the scope is joined or unused", message.c_str(), __FILE__, __LINE__);
}

}  // namespace coex::inline v0::detail
