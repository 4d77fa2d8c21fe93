// Included by the headers of each façade, stdexec_*.hpp and std_*.hpp: COEX_SENDER_LIBRARY is the façade's namespace,
// in which `library` names that of the other library's senders.

/// The library's interface for replacing its parallel scheduler, on an execution context.

namespace coex::inline v0::interop::COEX_SENDER_LIBRARY::detail {

namespace replacement = library::parallel_scheduler_replacement;

/// Memory of an operation: the frontend's, or, where that is too small, recycled.
template <class Operation, class... Args>
Operation* make_in(std::span<std::byte> scratch, Args&... args) {
    void* place = scratch.data();
    std::size_t room = scratch.size();
    if (std::align(alignof(Operation), sizeof(Operation), place, room) != nullptr) {
        return ::new (place) Operation(false, args...);
    }
    return ::new (recycling_allocate(sizeof(Operation))) Operation(true, args...);
}

template <class Operation>
void destroy(Operation& operation, bool owns_memory) noexcept {
    std::destroy_at(&operation);
    if (owns_memory) recycling_deallocate(&operation, sizeof(Operation));
}

class scheduled final : public work_item {
public:
    scheduled(bool owns_memory, replacement::receiver_proxy& receiver) noexcept
        : work_item(&scheduled::complete), receiver_(receiver), owns_memory_(owns_memory) {}

private:
    static void complete(work_item* item) noexcept {
        auto& self = static_cast<scheduled&>(*item);
        replacement::receiver_proxy& receiver = self.receiver_;
        destroy(self, self.owns_memory_);
        receiver.set_value();  // LIFETIME: the scratch memory may be gone
    }

    replacement::receiver_proxy& receiver_;
    bool owns_memory_;
};

class scheduled_bulk final : public work_item, coex::detail::chunked_work {
public:
    scheduled_bulk(bool owns_memory, execution_context& context, std::size_t& size, std::size_t& chunks,
                   replacement::bulk_item_receiver_proxy& receiver) noexcept
        : work_item(&scheduled_bulk::execute),
          chunked_work(&scheduled_bulk::run_chunk, &scheduled_bulk::complete),
          context_(context),
          size_(size),
          chunks_(chunks),
          receiver_(receiver),
          owns_memory_(owns_memory) {}

private:
    static void execute(work_item* item) noexcept {
        auto& self = static_cast<scheduled_bulk&>(*item);
        run_chunks(self.context_, self.chunks_, self);
    }
    static void run_chunk(coex::detail::chunked_work& work, std::size_t chunk) noexcept {
        auto& self = static_cast<scheduled_bulk&>(work);
        self.receiver_.execute(self.place_of(chunk), self.place_of(chunk + 1));
    }
    static void complete(coex::detail::chunked_work& work) noexcept {
        auto& self = static_cast<scheduled_bulk&>(work);
        replacement::bulk_item_receiver_proxy& receiver = self.receiver_;
        destroy(self, self.owns_memory_);
        receiver.set_value();  // LIFETIME: the scratch memory may be gone
    }
    /// Chunks differ in size by one item at most.
    [[nodiscard]] std::size_t place_of(std::size_t chunk) const noexcept {
        return chunk * (size_ / chunks_) + std::min(chunk, size_ % chunks_);
    }

    execution_context& context_;
    std::size_t size_;
    std::size_t chunks_;
    replacement::bulk_item_receiver_proxy& receiver_;
    bool owns_memory_;
};

/// Runs what the parallel scheduler is given on an execution context.
class pool_backend final : public replacement::parallel_scheduler_backend {
public:
    explicit pool_backend(execution_context& context) noexcept : context_(context) {}

    void schedule(replacement::receiver_proxy& receiver, std::span<std::byte> scratch) noexcept override {
        submit<scheduled>(receiver, scratch, receiver);
    }
    void schedule_bulk_chunked(std::size_t size, replacement::bulk_item_receiver_proxy& receiver,
                               std::span<std::byte> scratch) noexcept override {
        std::size_t chunks = coex::detail::chunk_count(context_, size);
        submit<scheduled_bulk>(receiver, scratch, context_, size, chunks, receiver);
    }
    void schedule_bulk_unchunked(std::size_t size, replacement::bulk_item_receiver_proxy& receiver,
                                 std::span<std::byte> scratch) noexcept override {
        submit<scheduled_bulk>(receiver, scratch, context_, size, size, receiver);
    }

private:
    template <class Operation, class... Args>
    void submit(replacement::receiver_proxy& receiver, std::span<std::byte> scratch, Args&... args) noexcept {
        work_item* item = nullptr;
        COEX_TRY {
            item = make_in<Operation>(scratch, args...);
        }
        COEX_CATCH(...) {
            receiver.set_error(std::current_exception());
            return;
        }
        context_.submit(item);
    }

    execution_context& context_;
};

}  // namespace coex::inline v0::interop::COEX_SENDER_LIBRARY::detail
