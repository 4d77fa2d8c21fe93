#pragma once

#include <algorithm>
#include <vector>

namespace coex_test {

/// The numbers [0, count), upwards or downwards.
inline std::vector<int> upwards(int count) {
    std::vector<int> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back(i);
    return numbers;
}
inline std::vector<int> downwards(int count) {
    auto numbers = upwards(count);
    std::reverse(numbers.begin(), numbers.end());
    return numbers;
}

enum class direction { up, down };

/// The numbers of a square, side by side: the order of the rows, and that within a row.
inline std::vector<int> rows(int side, direction outer, direction inner) {
    std::vector<int> numbers;
    for (int row : outer == direction::up ? upwards(side) : downwards(side)) {
        for (int column : inner == direction::up ? upwards(side) : downwards(side)) {
            numbers.push_back(row * side + column);
        }
    }
    return numbers;
}

}  // namespace coex_test
