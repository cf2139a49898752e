// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/words/sorted_texts.h"

#include <limits>
#include <tuple>

#include "engine/base/check.h"

namespace edgemoe {

SortedTexts::SortedTexts(const std::vector<std::string>& texts) {
  ends_.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EDGEMOE_CHECK(!texts[i].empty() && (i == 0 || texts[i - 1] < texts[i]), "sorted texts");
    bytes_ += texts[i];
    EDGEMOE_CHECK(bytes_.size() <= std::numeric_limits<std::uint32_t>::max(), "texts too long");
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    auto& range = by_first_byte_[static_cast<unsigned char>(texts[i].front())];
    if (range.second == 0) range.first = i;
    range.second = i + 1;
  }
}

bool SortedTexts::Walk::Step(unsigned char byte) {
  if (depth_ == 0) {
    std::tie(low_, high_) = texts_->by_first_byte_[byte];
  } else if (low_ < high_) {
    if (texts_->Text(low_).size() == depth_) ++low_;
    // The first text from `low` on whose byte at this depth is `least` or more.
    const auto first_from = [&](std::size_t low, unsigned least) {
      std::size_t high = high_;
      while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (static_cast<unsigned char>(texts_->Text(middle)[depth_]) < least) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low;
    };
    low_ = first_from(low_, byte);
    high_ = first_from(low_, byte + 1U);
  }
  ++depth_;
  return low_ < high_;
}

std::optional<std::size_t> SortedTexts::Walk::Here() const {
  if (depth_ == 0 || low_ >= high_ || texts_->Text(low_).size() != depth_) return std::nullopt;
  return low_;
}

}  // namespace edgemoe
