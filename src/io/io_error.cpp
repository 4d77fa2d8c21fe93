#include <exec/io/io_error.hpp>

#include <string>

namespace coex::inline v0 {
namespace {

class io_error_category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "coex.io"; }
    [[nodiscard]] std::string message(int value) const override {
        return static_cast<io_errc>(value) == io_errc::end_of_stream ? "end of stream"
                                                                     : "unknown error " + std::to_string(value);
    }
};

}  // namespace

const std::error_category& io_category() noexcept {
    static const io_error_category category;
    return category;
}

}  // namespace coex::inline v0
