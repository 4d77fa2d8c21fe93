#include "pool/trace_writer.hpp"

#include <exec/vocab/priority.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace coex::inline v0::detail {
namespace {

// Viewers keep process 0 for themselves: threads outside the pools are process 1, pool n is process n + 1.
std::uint64_t process_of(std::uint64_t pool) {
    return pool + 1;
}
std::uint64_t pool_in(std::uint64_t detail) {
    return detail >> 32;
}
std::size_t rest_of(std::uint64_t detail) {
    return static_cast<std::size_t>(detail & 0xFFFF'FFFF);
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char each : text) {
        const auto code = static_cast<unsigned char>(each);
        if (each == '"' || each == '\\') {
            out += '\\';
            out += each;
        } else if (code < 0x20) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", code);
            out += escaped;
        } else {
            out += each;
        }
    }
    return out + '"';
}

std::string microseconds(std::uint64_t nanoseconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%llu.%03llu", static_cast<unsigned long long>(nanoseconds / 1000),
                  static_cast<unsigned long long>(nanoseconds % 1000));
    return text;
}

const char* name_of(priority level) {
    switch (level) {
        case priority::high:
            return "high";
        case priority::low:
            return "low";
        case priority::normal:
            break;
    }
    return "normal";
}

/// Turns recorded events into those of the format, in the order of their times.
class trace_writer {
public:
    explicit trace_writer(const trace_content& content) : content_(content) {}

    void write(std::ostream& out) {
        name_everything();
        tell_events();
        std::sort(lines_.begin(), lines_.end(), [](const line& a, const line& b) {
            return a.time != b.time ? a.time < b.time : a.number < b.number;
        });
        out << "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"recorder\":\"coex\",\"dropped_events\":\""
            << content_.dropped << "\"},\n\"traceEvents\":[";
        const char* separator = "\n";
        for (const line& each : lines_) {
            out << separator << each.text;
            separator = ",\n";
        }
        out << "\n]}\n";
    }

private:
    struct line {
        std::uint64_t time;
        std::size_t number;
        std::string text;
    };
    struct track {
        std::uint64_t pool;
        std::size_t worker;
    };
    struct open_task {
        std::uint64_t number;
        std::uint64_t begin;
        std::optional<std::size_t> stolen_from;
        std::optional<std::uint64_t> posted;
        priority level;
    };
    struct post {
        std::uint64_t time;
        track where;
        priority level;
    };
    struct thread_state {
        std::vector<open_task> tasks;  // innermost last
        std::optional<std::uint64_t> asleep_since;
        std::optional<std::pair<std::uint64_t, std::size_t>> theft;  // task, victim
    };

    void add(std::uint64_t time, const char* phase, track where, const std::string& name, const std::string& rest) {
        lines_.push_back({time, lines_.size(),
                          "{\"ph\":\"" + std::string(phase) + "\",\"pid\":" + std::to_string(process_of(where.pool)) +
                              ",\"tid\":" + std::to_string(where.worker + 1) + ",\"ts\":" + microseconds(time) +
                              ",\"name\":" + quoted(name) + rest + "}"});
    }
    void add_slice(std::uint64_t begin, std::uint64_t end, track where, const std::string& name, const char* category,
                   const std::string& arguments) {
        add(begin, "X", where, name,
            ",\"cat\":\"" + std::string(category) + "\",\"dur\":" + microseconds(end - begin) + ",\"args\":{" +
                arguments + "}");
    }
    void add_instant(std::uint64_t time, track where, const std::string& name, const char* category,
                     const std::string& arguments) {
        add(time, "i", where, name,
            ",\"cat\":\"" + std::string(category) + "\",\"s\":\"t\",\"args\":{" + arguments + "}");
    }
    void add_arrow(std::uint64_t from, track source, std::uint64_t to, track target, const char* what) {
        const std::string id = ",\"cat\":\"" + std::string(what) + "\",\"id\":" + std::to_string(++arrows_);
        add(from, "s", source, what, id);
        add(to, "f", target, what, id + ",\"bp\":\"e\"");
    }

    void add_name(track where, const char* what, const std::string& name) {
        add(0, "M", where, what, ",\"args\":{\"name\":" + quoted(name) + "}");
    }
    void name_everything() {
        std::map<std::uint64_t, std::string> names{{0, "outside the pools"}};
        for (const observed_pool& each : content_.pools) names[each.number] = each.name;
        std::set<std::uint64_t> processes;
        std::set<std::pair<std::uint64_t, std::size_t>> threads;
        for (const trace_content::thread& each : content_.threads) {
            if (processes.insert(each.pool).second) {
                add_name({each.pool, 0}, "process_name", names[each.pool]);
                add(0, "M", {each.pool, 0}, "process_sort_index",
                    ",\"args\":{\"sort_index\":" + std::to_string(each.pool) + "}");
            }
            if (!threads.insert({each.pool, each.worker}).second) continue;
            const std::string beginning = each.pool == 0 ? "thread " : names[each.pool] + "/";
            add_name({each.pool, each.worker}, "thread_name", beginning + std::to_string(each.worker));
        }
    }

    // All threads together, in time, so that what one thread does finds what another did before.
    void tell_events() {
        std::vector<std::pair<std::size_t, const trace_event*>> all;
        for (std::size_t i = 0; i < content_.threads.size(); ++i) {
            const trace_content::thread& thread = content_.threads[i];
            if (thread.dropped != 0 && !thread.events.empty()) {
                add_instant(thread.events.front().time, {thread.pool, thread.worker},
                            std::to_string(thread.dropped) + " earlier events dropped", "recorder", "");
            }
            for (const trace_event& each : thread.events) all.emplace_back(i, &each);
        }
        // Of what happened at one time, causes come before effects, and each thread keeps its order.
        const auto is_effect = [](const trace_event& event) {
            return event.kind != trace_kind::posted && event.kind != trace_kind::notified;
        };
        std::sort(all.begin(), all.end(), [is_effect](const auto& a, const auto& b) {
            return std::tuple(a.second->time, is_effect(*a.second), a.first, a.second) <
                   std::tuple(b.second->time, is_effect(*b.second), b.first, b.second);
        });
        states_.resize(content_.threads.size());
        for (const auto& [thread, event] : all) tell(thread, *event);
        for (std::size_t i = 0; i < states_.size(); ++i) close(i);
    }

    void tell(std::size_t thread, const trace_event& event) {
        const track here{content_.threads[thread].pool, content_.threads[thread].worker};
        thread_state& state = states_[thread];
        switch (event.kind) {
            case trace_kind::posted:
                return tell_post(here, event);
            case trace_kind::stolen:
                return tell_theft(here, state, event);
            case trace_kind::started:
                return begin_task(here, state, event);
            case trace_kind::ended:
                return end_task(here, state, event);
            case trace_kind::parked:
                state.asleep_since = event.time;
                return;
            case trace_kind::woken:
                return end_sleep(here, state, event.time);
            case trace_kind::notified:
                return tell_wake(here, event);
            case trace_kind::span:
                // The writer's caller promised that the name is still there.
                return add_slice(event.time, event.time + event.detail, here,
                                 reinterpret_cast<const char*>(static_cast<std::uintptr_t>(event.number)), "span", "");
            case trace_kind::draining:
                return add_instant(event.time, here, "pool drains", "pool",
                                   "\"pool\":" + std::to_string(pool_in(event.detail)));
            case trace_kind::worker_stopped:
                return add_instant(event.time, here, "worker stopped", "pool", "");
        }
    }

    // A slice, though a post takes no time worth drawing: arrows begin at slices.
    void tell_post(track here, const trace_event& event) {
        const auto level = static_cast<priority>(rest_of(event.detail));
        posts_[event.number] = {event.time, here, level};
        add_slice(
            event.time, event.time + 1, here, "post", "post",
            "\"to\":" + std::to_string(process_of(pool_in(event.detail))) + ",\"priority\":\"" + name_of(level) + "\"");
    }
    void tell_theft(track here, thread_state& state, const trace_event& event) {
        const auto victim = static_cast<std::size_t>(event.detail);
        state.theft = {event.number, victim};
        if (victim != here.worker) {
            add_instant(event.time, here, "steal", "steal", "\"from\":" + std::to_string(victim + 1));
        }
    }
    void begin_task(track here, thread_state& state, const trace_event& event) {
        open_task task{event.number, event.time, std::nullopt, std::nullopt, priority::normal};
        if (state.theft && state.theft->first == event.number) task.stolen_from = state.theft->second;
        state.theft.reset();
        if (const auto found = posts_.find(event.number); found != posts_.end()) {
            task.posted = found->second.time;
            task.level = found->second.level;
            add_arrow(found->second.time, found->second.where, event.time, here, "post");
            posts_.erase(found);
        } else if (task.stolen_from && *task.stolen_from != here.worker) {
            add_arrow(event.time, {here.pool, *task.stolen_from}, event.time, here, "steal");
        }
        state.tasks.push_back(task);
    }
    void end_task(track here, thread_state& state, const trace_event& event) {
        // Its start may have been dropped.
        if (state.tasks.empty() || state.tasks.back().number != event.number) return;
        add_task(here, state.tasks.back(), event.time, "");
        state.tasks.pop_back();
    }
    void add_task(track here, const open_task& task, std::uint64_t end, const std::string& more) {
        const bool forked = !task.posted && task.stolen_from.has_value();
        std::string arguments = more;
        const auto argue = [&arguments](const std::string& text) {
            if (!arguments.empty()) arguments += ',';
            arguments += text;
        };
        if (task.stolen_from) argue("\"stolen_from\":" + std::to_string(*task.stolen_from + 1));
        if (task.posted) argue("\"waited_us\":" + microseconds(task.begin - *task.posted));
        if (task.level != priority::normal) argue("\"priority\":\"" + std::string(name_of(task.level)) + "\"");
        add_slice(task.begin, end, here, forked ? "forked" : "task", "task", arguments);
    }
    void end_sleep(track here, thread_state& state, std::uint64_t time) {
        if (state.asleep_since) add_slice(*state.asleep_since, time, here, "asleep", "sleep", "");
        state.asleep_since.reset();
        const auto found = wakes_.find({here.pool, here.worker});
        if (found == wakes_.end()) return;
        add_arrow(found->second.first, found->second.second, time, here, "wake");
        wakes_.erase(found);
    }
    void tell_wake(track here, const trace_event& event) {
        wakes_[{pool_in(event.detail), rest_of(event.detail)}] = {event.time, here};
        add_slice(event.time, event.time + 1, here, "wake", "wake",
                  "\"process\":" + std::to_string(process_of(pool_in(event.detail))) +
                      ",\"worker\":" + std::to_string(rest_of(event.detail) + 1));
    }

    /// What goes on while the trace is written.
    void close(std::size_t thread) {
        const track here{content_.threads[thread].pool, content_.threads[thread].worker};
        thread_state& state = states_[thread];
        if (state.asleep_since) {
            add_slice(*state.asleep_since, std::max(content_.end, *state.asleep_since), here, "asleep", "sleep",
                      "\"unfinished\":true");
        }
        for (const open_task& each : state.tasks) {
            add_task(here, each, std::max(content_.end, each.begin), "\"unfinished\":true");
        }
    }

    const trace_content& content_;
    std::vector<line> lines_;
    std::vector<thread_state> states_;
    std::map<std::uint64_t, post> posts_;                                                     // by task
    std::map<std::pair<std::uint64_t, std::size_t>, std::pair<std::uint64_t, track>> wakes_;  // by pool and worker
    std::uint64_t arrows_ = 0;
};

}  // namespace

void write_trace(std::ostream& out, const trace_content& content) {
    trace_writer(content).write(out);
}

}  // namespace coex::inline v0::detail
