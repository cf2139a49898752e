// SPDX-License-Identifier: Apache-2.0
//
// The searches that go along a line of choices, from fewest bytes to most.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/bits/type_search.h"

namespace edgemoe {
namespace {

// Choices 0 to count - 1, each of more bytes than the one before.
class LineSearch : public TypeSearch {
 public:
  Result<TensorTypes> WithinBytes(std::uint64_t bytes_max) override {
    if (BytesOf(TypesAt(0)) > bytes_max)
      return Failure(OutOfRangeError("found " + FormatByteSize(bytes_max) +
                                     " for weights, the least is " +
                                     FormatByteSize(BytesOf(TypesAt(0))) + " (" +
                                     std::to_string(BytesOf(TypesAt(0))) + " bytes)"));
    return TypesAt(LastWhere([&](std::size_t i) { return BytesOf(TypesAt(i)) <= bytes_max; }));
  }

  std::uint64_t least_bytes() const override { return BytesOf(TypesAt(0)); }

  // Bisection: the first that meets it, when more bytes never do more harm.
  Result<TensorTypes> Smallest(double /*kl*/, const Measure& measure) override {
    std::size_t low = 0;         // all before it do not meet it
    std::size_t high = count();  // it and all after it do
    double least_use = std::numeric_limits<double>::infinity();
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      EDGEMOE_ASSIGN_OR_FAIL(const double use, measure(TypesAt(middle)));
      least_use = std::fmin(least_use, use);
      if (use <= 1)
        high = middle;
      else
        low = middle + 1;
    }
    if (high < count()) return TypesAt(high);
    return Failure(NoneMeets(least_use));
  }

  double ExpectedKl(const TensorTypes&) const override { return -1; }

 protected:
  explicit LineSearch(const SourceStudy& study) : study_(study) {}
  virtual std::size_t count() const = 0;
  virtual TensorTypes TypesAt(std::size_t index) const = 0;

  std::uint64_t BytesOf(const TensorTypes& types) const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < types.size(); ++i)
      bytes += PaddedBytes(study_.tensors()[i], types[i]);
    return bytes;
  }

  const SourceStudy& study_;

 private:
  // REQUIRES: holds for 0, and for none after the first for which it does not.
  template <class Holds>
  std::size_t LastWhere(Holds holds) const {
    std::size_t low = 0;
    std::size_t high = count();
    while (high - low > 1) {
      const std::size_t middle = low + (high - low) / 2;
      (holds(middle) ? low : high) = middle;
    }
    return low;
  }
};

// Blocks of 32 in place of those of 256: at least as many bits, and more where they are more.
TensorType InSmallBlocks(TensorType type) {
  switch (type) {
    case TensorType::kQ2_K:
    case TensorType::kQ3_K:
    case TensorType::kQ4_K: return TensorType::kIQ4_NL;
    case TensorType::kQ5_K: return TensorType::kQ5_0;
    case TensorType::kQ6_K: return TensorType::kQ8_0;
    default: return type;
  }
}

class UniformSearch final : public LineSearch {
 public:
  explicit UniformSearch(const SourceStudy& study) : LineSearch(study) {}

 private:
  static constexpr std::array kTypes = {TensorType::kQ2_K, TensorType::kQ3_K, TensorType::kQ4_K,
                                        TensorType::kQ5_K, TensorType::kQ6_K, TensorType::kQ8_0};
  std::size_t count() const override { return kTypes.size(); }
  TensorTypes TypesAt(std::size_t index) const override {
    TensorTypes types;
    for (const PackTensor& tensor : study_.tensors())
      types.push_back(TypeOr(tensor, kTypes[index]));
    return types;
  }
};

class EdgemoeSearch final : public LineSearch {
 public:
  EdgemoeSearch(const SourceStudy& study, const std::vector<double>& importance)
      : LineSearch(study), rank_(importance.size()) {
    std::vector<std::size_t> order(importance.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(),
                             [&](std::size_t i) { return importance[i]; });
    for (std::size_t i = 0; i < order.size(); ++i) rank_[order[i]] = i;
  }

 private:
  // The line: of each pair of neighbouring widths, none, one, two ... all experts at the upper one,
  // the most important first.
  std::size_t count() const override { return (std::size(kEdgemoeWidths) - 1) * rank_.size() + 1; }
  TensorTypes TypesAt(std::size_t index) const override {
    const std::size_t pair =
        std::min(index / rank_.size(), std::size(kEdgemoeWidths) - std::size_t{2});
    const std::size_t at_upper = index - pair * rank_.size();
    const std::uint32_t experts = study_.source().config().expert_count;
    TensorTypes types;
    for (const PackTensor& tensor : study_.tensors()) {
      if (!tensor.of_expert()) {
        types.push_back(TypeOr(tensor, kEdgemoeDense));
        continue;
      }
      const std::size_t expert =
          std::size_t{tensor.key.layer.value} * experts + tensor.key.expert.value;
      types.push_back(TypeOr(tensor, kEdgemoeWidths[pair + (rank_[expert] < at_upper ? 1 : 0)]));
    }
    return types;
  }

  std::vector<std::size_t> rank_;  // [layers * experts], 0: the most important
};

}  // namespace

TensorType TypeOr(const PackTensor& tensor, TensorType wanted) {
  const TensorType type = tensor.Takes(wanted) ? wanted : InSmallBlocks(wanted);
  return tensor.Takes(type) && tensor.BytesIn(type) < tensor.source_bytes ? type
                                                                          : tensor.source_type;
}

TensorTypes EdgemoeBase(const SourceStudy& study) {
  TensorTypes types;
  for (const PackTensor& tensor : study.tensors())
    types.push_back(TypeOr(tensor, tensor.of_expert() ? kEdgemoeWidths[1] : kEdgemoeDense));
  return types;
}

std::unique_ptr<TypeSearch> MakeUniformSearch(const SourceStudy& study) {
  return std::make_unique<UniformSearch>(study);
}

std::unique_ptr<TypeSearch> MakeEdgemoeSearch(const SourceStudy& study,
                                              const std::vector<double>& importance) {
  return std::make_unique<EdgemoeSearch>(study, importance);
}

}  // namespace edgemoe
