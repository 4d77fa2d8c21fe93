#include "io/system_calls.hpp"

#include "io/support.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>

namespace {

using coex::detail::call_and_wait;
using coex::detail::call_without_waiting;
using coex::detail::io_opcode;
using coex::detail::io_request;

class system_calls : public ::testing::Test {
protected:
    void TearDown() override { coex::detail::at_once_enabled.store(true); }

    io_request reading(int descriptor) {
        io_request request;
        request.opcode = io_opcode::read;
        request.descriptor = descriptor;
        request.buffer = block.data();
        request.length = block.size();
        return request;
    }

    coex_test::scratch_directory scratch;
    std::array<char, 16> block{};
};

TEST_F(system_calls, what_cannot_be_done_without_waiting_says_so_and_does_nothing) {
    const std::string path = scratch / "new";
    io_request create;
    create.opcode = io_opcode::open;
    create.path = path.c_str();
    create.flags = O_WRONLY | O_CREAT;
    EXPECT_EQ(call_without_waiting(create), -EAGAIN);
    EXPECT_FALSE(std::filesystem::exists(path));

    const int writer = ::open(scratch.write("file", "12345").c_str(), O_WRONLY);
    for (const io_opcode opcode : {io_opcode::write, io_opcode::fsync, io_opcode::close}) {
        io_request request = reading(writer);
        request.opcode = opcode;
        EXPECT_EQ(call_without_waiting(request), -EAGAIN);
    }
    EXPECT_EQ(std::filesystem::file_size(scratch / "file"), 5U);
    EXPECT_EQ(::close(writer), 0) << "still open";
}

TEST_F(system_calls, an_empty_pipe_is_not_waited_for) {
    coex_test::pipe_pair pipe;
    const int descriptor = pipe.take_reading_end();
    io_request request = reading(descriptor);
    request.offset = coex_test::anywhere;
    EXPECT_EQ(call_without_waiting(request), -EAGAIN);
    pipe.write("123");
    EXPECT_EQ(call_and_wait(request), 3);
    ::close(descriptor);
}

TEST_F(system_calls, both_ways_give_the_same_answer_for_a_file) {
    const int descriptor = ::open(scratch.write("file", "12345").c_str(), O_RDONLY);
    io_request request = reading(descriptor);
    EXPECT_EQ(call_and_wait(request), 5);
    const int at_once = call_without_waiting(request);
    EXPECT_TRUE(at_once == 5 || at_once == -EAGAIN) << at_once;
    request.offset = 100;
    EXPECT_EQ(call_and_wait(request), 0) << "behind the end";
    ::close(descriptor);
    EXPECT_EQ(call_and_wait(request), -EBADF);
    EXPECT_EQ(call_without_waiting(request), -EBADF);
}

TEST_F(system_calls, the_own_position_of_a_descriptor_is_read_from_and_moved) {
    const int descriptor = ::open(scratch.write("file", "12345").c_str(), O_RDONLY);
    ::lseek(descriptor, 3, SEEK_SET);
    io_request request = reading(descriptor);
    request.offset = coex_test::anywhere;
    EXPECT_EQ(call_and_wait(request), 2);
    EXPECT_EQ(block[0], '4');
    EXPECT_EQ(::lseek(descriptor, 0, SEEK_CUR), 5);
    ::close(descriptor);
}

TEST_F(system_calls, what_is_read_past_the_cache_is_never_read_without_waiting) {
    const int descriptor = ::open(scratch.write("file", "12345").c_str(), O_RDONLY);
    io_request request = reading(descriptor);
    request.direct = true;
    EXPECT_EQ(call_without_waiting(request), -EAGAIN);
    ::close(descriptor);
}

TEST_F(system_calls, now_and_then_others_have_their_turn) {
    int over = 0;
    for (int i = 0; i < 1'000; ++i) over += coex::detail::is_turn_over() ? 1 : 0;
    EXPECT_GT(over, 0);
    EXPECT_LT(over, 500);
}

}  // namespace
