// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgemoe {

// Which characters may stand side by side inside a token: what is cut where they may not becomes
// the same tokens as the whole. Thread-compatible.
class CharacterPairs {
 public:
  CharacterPairs() : words_(kBits / 64) {}

  void Add(char32_t left, char32_t right) {
    const std::size_t bit = BitOf(left, right);
    words_[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  // True for each pair added, and for some others: a hash of the pair is kept, in 128 KiB in all.
  bool MayContain(char32_t left, char32_t right) const {
    const std::size_t bit = BitOf(left, right);
    return (words_[bit / 64] >> bit % 64 & 1) != 0;
  }

 private:
  static constexpr std::size_t kBits = std::size_t{1} << 20;
  static std::size_t BitOf(char32_t left, char32_t right) {
    const std::uint64_t key = std::uint64_t{left} << 32 | right;
    return static_cast<std::size_t>(key * 0x9e3779b97f4a7c15ULL >> 44);
  }

  std::vector<std::uint64_t> words_;
};

}  // namespace edgemoe
