#pragma once

#include <exec/algo/one_of.hpp>
#include <exec/algo/pack.hpp>
#include <exec/algo/parallel_chunks.hpp>
#include <exec/base/exceptions.hpp>
#include <exec/vocab/completion_signatures.hpp>
#include <exec/vocab/env.hpp>
#include <exec/vocab/sender.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace coex::inline v0::detail {

/// The part of a parallel bulk that belongs to one way of the child to send values: they are kept here, and chunks run.
template <class Shape, class F, class Receiver, class... Values>
class bulk_chunks : chunked_work {
public:
    template <class... Args>
    bulk_chunks(execution_context& context, bool single, Shape shape, F& function, Receiver& receiver, Args&&... args)
        : chunked_work(&bulk_chunks::run_chunk, &bulk_chunks::finish),
          size_(static_cast<std::size_t>(shape)),
          chunks_(single ? size_ : chunk_count(context, size_)),
          function_(&function),
          receiver_(&receiver),
          values_(std::in_place, std::forward<Args>(args)...) {}

    void start(execution_context& context) noexcept { run_chunks(context, chunks_, *this); }

private:
    static void run_chunk(chunked_work& work, std::size_t chunk) noexcept {
        auto& self = static_cast<bulk_chunks&>(work);
        // ORDER: relaxed; a stale value only means that a chunk runs in vain.
        if (self.failed_.load(std::memory_order_relaxed)) return;
        const auto begin = static_cast<Shape>(self.place_of(chunk));
        const auto end = static_cast<Shape>(self.place_of(chunk + 1));
        if constexpr (std::is_nothrow_invocable_v<F&, Shape, Shape, Values&...>) {
            self.call(begin, end);
        } else {
            COEX_TRY {
                self.call(begin, end);
            }
            COEX_CATCH(...) {
                // The first failure in time is told; finish() sees it, because all chunks have ended before it.
                if (!self.failed_.exchange(true)) self.error_ = std::current_exception();
            }
        }
    }
    void call(Shape begin, Shape end) {
        values_.apply([&](Values&... values) { (*function_)(begin, end, values...); });
    }
    /// Chunks differ in size by one item at most.
    [[nodiscard]] std::size_t place_of(std::size_t chunk) const noexcept {
        return chunk * (size_ / chunks_) + (chunk < size_ % chunks_ ? chunk : size_ % chunks_);
    }

    static void finish(chunked_work& work) noexcept {
        auto& self = static_cast<bulk_chunks&>(work);
        if constexpr (!std::is_nothrow_invocable_v<F&, Shape, Shape, Values&...>) {
            if (self.error_ != nullptr) {
                coex::set_error(std::move(*self.receiver_), std::move(self.error_));
                return;
            }
        }
        std::move(self.values_).apply([&self](Values&&... values) noexcept {
            coex::set_value(std::move(*self.receiver_), std::move(values)...);
        });
    }

    const std::size_t size_;
    const std::size_t chunks_;
    F* function_;
    Receiver* receiver_;
    std::atomic<bool> failed_{false};
    std::exception_ptr error_;  // written by the first chunk that failed
    [[no_unique_address]] pack<Values...> values_;
};

template <class Signatures, class Shape, class F, class Receiver>
struct bulk_room;
template <class... Signatures, class Shape, class F, class Receiver>
struct bulk_room<completion_signatures<Signatures...>, Shape, F, Receiver> {
    template <class Signature>
    struct chunks_of {
        using type = char;  // not of values
    };
    template <class... Values>
    struct chunks_of<set_value_t(Values...)> {
        using type = bulk_chunks<Shape, F, Receiver, std::decay_t<Values>...>;
    };
    using type = one_of<typename chunks_of<Signatures>::type...>;
};

/// A bulk whose child completes on a scheduler of an execution context: runs on all threads of that.
template <class Child, class Shape, class F, class Receiver>
class parallel_bulk_operation {
    class child_receiver {
    public:
        using receiver_concept = receiver_tag;

        explicit child_receiver(parallel_bulk_operation& operation) noexcept : operation_(&operation) {}
        template <class... Values>
        void set_value(Values&&... values) && noexcept {
            operation_->run(std::forward<Values>(values)...);
        }
        template <class Error>
        void set_error(Error&& error) && noexcept {
            coex::set_error(std::move(operation_->receiver_), std::forward<Error>(error));
        }
        void set_stopped() && noexcept { coex::set_stopped(std::move(operation_->receiver_)); }
        [[nodiscard]] forwarded_t<env_of_t<const Receiver&>> get_env() const noexcept {
            return forward_env_of(operation_->receiver_);
        }

    private:
        parallel_bulk_operation* operation_;
    };

public:
    using operation_state_concept = operation_state_tag;

    /// `one_by_one`: each index is a chunk of its own.
    parallel_bulk_operation(execution_context& context, Child&& child, Shape shape, F&& function, bool one_by_one,
                            Receiver&& receiver)
        : context_(&context),
          shape_(shape),
          one_by_one_(one_by_one),
          function_(std::move(function)),
          receiver_(std::move(receiver)),
          child_(connect(std::forward<Child>(child), child_receiver(*this))) {}
    parallel_bulk_operation(const parallel_bulk_operation&) = delete;
    parallel_bulk_operation& operator=(const parallel_bulk_operation&) = delete;

    void start() & noexcept { coex::start(child_); }

private:
    template <class... Values>
    void run(Values&&... values) noexcept {
        using chunks = bulk_chunks<Shape, F, Receiver, std::decay_t<Values>...>;
        if constexpr ((std::is_nothrow_constructible_v<std::decay_t<Values>, Values> && ...)) {
            make<chunks>(std::forward<Values>(values)...).start(*context_);
        } else {
            chunks* made = nullptr;
            COEX_TRY {
                made = &make<chunks>(std::forward<Values>(values)...);
            }
            COEX_CATCH(...) {
                coex::set_error(std::move(receiver_), std::current_exception());
                return;
            }
            made->start(*context_);
        }
    }
    template <class Chunks, class... Values>
    Chunks& make(Values&&... values) {
        return chunks_.template emplace<Chunks>(*context_, one_by_one_, shape_, function_, receiver_,
                                                std::forward<Values>(values)...);
    }

    using signatures = decltype(get_completion_signatures<Child, forwarded_t<env_of_t<const Receiver&>>>());

    execution_context* context_;
    Shape shape_;
    bool one_by_one_;
    [[no_unique_address]] F function_;
    [[no_unique_address]] Receiver receiver_;
    typename bulk_room<signatures, Shape, F, Receiver>::type chunks_;
    connect_result_t<Child, child_receiver> child_;
};

}  // namespace coex::inline v0::detail
