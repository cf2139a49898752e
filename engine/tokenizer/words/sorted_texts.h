// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgemoe {

// Texts in the order of their bytes, searched byte after byte. Immutable and thread-safe.
class SortedTexts {
 public:
  // REQUIRES: ascending, none twice, none empty, fewer than 2^32 bytes in all.
  explicit SortedTexts(const std::vector<std::string>& texts);

  std::size_t size() const { return ends_.size(); }
  std::string_view Text(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
  }

  // Goes along one text and knows which of the sorted ones begin with what it has seen. The sorted
  // texts outlive it.
  class Walk {
   public:
    explicit Walk(const SortedTexts& texts) : texts_(&texts), high_(texts.size()) {}

    // One byte further, in O(log n); false when no text goes on so.
    bool Step(unsigned char byte);
    // The text that ends here; none before the first step.
    std::optional<std::size_t> Here() const;

   private:
    const SortedTexts* texts_;
    std::size_t depth_ = 0;  // bytes seen, which all texts in [low_, high_) begin with
    std::size_t low_ = 0;
    std::size_t high_;
  };

 private:
  std::string bytes_;  // of all texts, one after the other
  std::vector<std::uint32_t> ends_;
  std::array<std::pair<std::size_t, std::size_t>, 256> by_first_byte_{};  // range of indices
};

}  // namespace edgemoe
