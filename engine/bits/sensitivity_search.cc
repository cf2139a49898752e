// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "engine/base/system/aligned_buffer.h"
#include "engine/bits/type_search.h"
#include "engine/pack/pack_layout.h"

namespace edgemoe {
namespace {

constexpr std::size_t kCurvePoints = 24;
constexpr int kTriesMax = 6;
constexpr double kFirstShare = 0.6;  // effects add up to somewhat more than is expected
constexpr double kSafety = 0.97;     // of what a correction aims at
constexpr double kUseMin = 0.01;     // no correction is greater
constexpr double kGoodEnough = 0.9;  // a choice that uses so much of the tolerance is the one

class SensitivitySearch final : public TypeSearch {
 public:
  SensitivitySearch(const SourceStudy& study, const DamageTable& damages,
                    const Sensitivity& sensitivity, PackGranularity granularity)
      : study_(study), damages_(damages), sensitivity_(sensitivity) {
    GroupTensors(granularity);
    std::vector<AllocationItem> items;
    for (const std::vector<std::size_t>& group : groups_) items.push_back(ItemOf(group));
    allocator_.emplace(items);
    items_ = std::move(items);
  }

  Result<TensorTypes> WithinBytes(std::uint64_t bytes_max) override {
    EDGEMOE_ASSIGN_OR_FAIL(const Allocation allocation, allocator_->WithinBytes(bytes_max));
    return TypesOf(allocation);
  }

  std::uint64_t least_bytes() const override { return allocator_->least_bytes(); }

  // What is expected is corrected by what was measured, and tried again.
  Result<TensorTypes> Smallest(double kl, const Measure& measure) override {
    std::optional<TensorTypes> best;
    TensorTypes last;
    double least_use = std::numeric_limits<double>::infinity();
    double low = 0;   // meets it; 0: none does yet
    double high = 0;  // does not meet it; 0: all do
    double target = kl * kFirstShare;
    for (int i = 0; i < kTriesMax; ++i) {
      const Result<Allocation> allocation = allocator_->WithinDamage(target);
      if (!allocation && i == 0)
        return Failure(allocation.error().WithContext("KL that is expected"));
      if (!allocation) break;
      TensorTypes types = TypesOf(*allocation);
      if (types == last) break;
      last = types;
      EDGEMOE_ASSIGN_OR_FAIL(const double use, measure(types));
      least_use = std::fmin(least_use, use);
      if (use <= 1) best = std::move(types);
      if (use <= 1 && use >= kGoodEnough) break;
      (use <= 1 ? low : high) = target;
      target =
          low > 0 && high > 0 ? std::sqrt(low * high) : target * kSafety / std::fmax(use, kUseMin);
    }
    if (best) return *std::move(best);
    return Failure(NoneMeets(least_use));
  }

  double ExpectedKl(const TensorTypes& types) const override {
    double kl = 0;
    for (std::size_t i = 0; i < types.size(); ++i)
      for (const TypeChoice& choice : ChoicesOf(i))
        if (choice.type == types[i]) kl += choice.damage;
    return kl;
  }

  std::vector<PackPoint> Curve() const override {
    std::vector<PackPoint> curve;
    for (const Allocator::Point& point : allocator_->Curve(kCurvePoints))
      curve.push_back({.file_bytes = point.bytes, .kl = point.damage});
    return curve;
  }

 private:
  void GroupTensors(PackGranularity granularity) {
    std::map<std::tuple<TensorRole, std::uint32_t>, std::size_t> shared;
    for (std::size_t i = 0; i < study_.tensors().size(); ++i) {
      const PackTensor& tensor = study_.tensors()[i];
      if (granularity == PackGranularity::kExpert || !tensor.of_expert()) {
        groups_.push_back({i});
        continue;
      }
      const auto [place, is_new] =
          shared.try_emplace({tensor.role, tensor.layer.value}, groups_.size());
      if (is_new) groups_.emplace_back();
      groups_[place->second].push_back(i);
    }
  }

  std::vector<TypeChoice> ChoicesOf(std::size_t index) const {
    const PackTensor& tensor = study_.tensors()[index];
    std::vector<TypeChoice> choices = {
        {tensor.source_type, PaddedBytes(tensor, tensor.source_type), 0}};
    if (!IsRequantisable(tensor.role)) return choices;
    const double worth = sensitivity_.of(tensor);
    for (std::size_t t = 0; t < damages_.types().size(); ++t) {
      const TensorType type = damages_.types()[t];
      const double damage = damages_.of(index, t);
      if (type == tensor.source_type || !std::isfinite(damage)) continue;
      choices.push_back({type, PaddedBytes(tensor, type), damage * worth});
    }
    return choices;
  }

  // The sums of a group's choices: types that all of them take.
  AllocationItem ItemOf(const std::vector<std::size_t>& group) const {
    AllocationItem item{ChoicesOf(group.front())};
    for (std::size_t i = 1; i < group.size(); ++i) {
      const std::vector<TypeChoice> choices = ChoicesOf(group[i]);
      for (TypeChoice& sum : item.choices) {
        const auto same = std::ranges::find(choices, sum.type, &TypeChoice::type);
        if (same == choices.end()) {
          sum.damage = std::numeric_limits<double>::infinity();
          continue;
        }
        sum.bytes += same->bytes;
        sum.damage += same->damage;
      }
    }
    return item;
  }

  TensorTypes TypesOf(const Allocation& allocation) const {
    TensorTypes types(study_.tensors().size());
    for (std::size_t g = 0; g < groups_.size(); ++g)
      for (const std::size_t i : groups_[g])
        types[i] = items_[g].choices[allocation.chosen[g]].type;
    return types;
  }

  const SourceStudy& study_;
  const DamageTable& damages_;
  const Sensitivity& sensitivity_;
  std::vector<std::vector<std::size_t>> groups_;  // tensors that share a type
  std::vector<AllocationItem> items_;             // [groups]
  std::optional<Allocator> allocator_;
};

}  // namespace

Status NoneMeets(double least_use) {
  char times[32];
  std::snprintf(times, sizeof(times), "%.3g", least_use);
  return OutOfRangeError("no choice of types that was tried meets the tolerance; the nearest has " +
                         std::string(times) + " times as much");
}

std::uint64_t PaddedBytes(const PackTensor& tensor, TensorType type) {
  const std::uint64_t bytes = tensor.BytesIn(type);
  const std::uint64_t padded = AlignUp(bytes, kPackAlignment);
  return padded - bytes <= bytes / kPaddingShare ? padded : AlignUp(bytes, kGgufDefaultAlignment);
}

std::unique_ptr<TypeSearch> MakeSensitivitySearch(const SourceStudy& study,
                                                  const DamageTable& damages,
                                                  const Sensitivity& sensitivity,
                                                  PackGranularity granularity) {
  return std::make_unique<SensitivitySearch>(study, damages, sensitivity, granularity);
}

}  // namespace edgemoe
