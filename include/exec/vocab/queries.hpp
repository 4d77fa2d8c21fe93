#pragma once

#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/stop_token.hpp>

#include <utility>

namespace coex::inline v0 {

/// Asks an environment for its stop token; one without an answer can never be stopped.
inline constexpr struct get_stop_token_t {
    template <class Env>
    [[nodiscard]] auto operator()(const Env& env) const noexcept {
        if constexpr (requires { env.query(*this); }) {
            return env.query(*this);
        } else {
            return never_stop_token{};
        }
    }
} get_stop_token{};

/// Asks an environment for the scheduler of the place where its work runs.
inline constexpr struct get_scheduler_t {
    template <class Env>
        requires requires(const Env& env, const get_scheduler_t& query) { env.query(query); }
    [[nodiscard]] auto operator()(const Env& env) const noexcept {
        return env.query(*this);
    }
} get_scheduler{};

/// What `read_env` returns: `co_await read_env(get_stop_token)` gives the answer of the task's own environment.
template <class Query>
class read_env_sender {
public:
    explicit read_env_sender(Query query) noexcept : query_(query) {}
    [[nodiscard]] Query query() const noexcept { return query_; }

private:
    Query query_;
};

/// Reads `query` from the environment of whoever awaits it.
template <class Query>
[[nodiscard]] read_env_sender<Query> read_env(Query query) noexcept {
    return read_env_sender<Query>(query);
}

}  // namespace coex::inline v0
