// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {

// Experts of a file that is in memory, given in an order and in waves that a seed determines, with
// hits and failures as a test wants them. Checks that it is used as its interface says.
class MemoryExpertSource final : public ExpertSource {
 public:
  MemoryExpertSource(const ExpertLayout& layout, std::span<const std::byte> file)
      : layout_(layout), file_(file) {}

  // Residents first, in order, at most `wave_max` at a time; seed 0: as asked for, all at once.
  void Shuffle(std::uint64_t seed, std::size_t wave_max) {
    random_ = Random(seed);
    shuffles_ = seed != 0;
    wave_max_ = wave_max;
  }
  void Fail(ExpertKey key) { failing_.insert(key); }
  void Heal() { failing_.clear(); }
  // Experts from this index on count as missing: read from storage, after `wait_ns` of waiting.
  void SetMissing(std::uint32_t from, std::uint64_t wait_ns) {
    missing_from_ = from;
    wait_ns_ = wait_ns;
  }
  std::size_t begin_count() const { return begin_count_; }

  void Begin(ExpertLayerIndex layer, std::span<const RoutedRow>,
             std::span<const ExpertIndex> experts) override {
    EDGEMOE_CHECK(wanted_.empty() && pinned_ == 0, "the layer before was not finished");
    layer_ = layer;
    ++begin_count_;
    wanted_.assign(experts.begin(), experts.end());
    EDGEMOE_CHECK(std::set(wanted_.begin(), wanted_.end()).size() == wanted_.size(),
                  "experts are distinct");
    if (shuffles_) {
      for (std::size_t i = wanted_.size(); i > 1; --i) {
        std::swap(wanted_[i - 1], wanted_[random_.NextBelow(i)]);
      }
    }
    std::stable_partition(wanted_.begin(), wanted_.end(),
                          [&](ExpertIndex e) { return e.value < missing_from_; });
    account_.experts_used += wanted_.size();
  }

  std::size_t NextReady(std::span<ReadyExpert> ready) override {
    EDGEMOE_CHECK(pinned_ == 0, "waves are released one by one");
    std::size_t count = std::min({ready.size(), wanted_.size(), wave_max_});
    if (shuffles_ && count > 1) count = 1 + random_.NextBelow(count);
    for (std::size_t i = 0; i < count; ++i) Give(wanted_[i], ready[i]);
    wanted_.erase(wanted_.begin(), wanted_.begin() + static_cast<std::ptrdiff_t>(count));
    pinned_ = count;
    return count;
  }

  void Release(std::span<const ReadyExpert> ready) override {
    EDGEMOE_CHECK(ready.size() == pinned_, "all that was given is released");
    pinned_ = 0;
  }

  void Abandon() override { wanted_.clear(); }
  const ExpertIoAccount& account() const override { return account_; }

 private:
  void Give(ExpertIndex expert, ReadyExpert& out) {
    const ExpertKey key = {layer_, expert};
    out = ReadyExpert();
    out.expert = expert;
    if (failing_.contains(key)) {
      out.status = DataLossError("expert " + std::to_string(expert.value) + " of layer " +
                                 std::to_string(layer_.value) + ": cannot be read");
      return;
    }
    const ExpertExtents& extents = layout_.of(key);
    const bool missing = expert.value >= missing_from_;
    if (missing) {
      account_.wait_ns += wait_ns_;
    } else {
      ++account_.hits;
    }
    for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
      out.matrices[role] = file_.data() + extents[role].offset;
      out.types[role] = extents[role].type;
      if (missing) account_.bytes_read += extents[role].bytes;
    }
  }

  const ExpertLayout& layout_;
  std::span<const std::byte> file_;
  Random random_{0};
  bool shuffles_ = false;
  std::size_t wave_max_ = SIZE_MAX;
  std::set<ExpertKey> failing_;
  std::uint32_t missing_from_ = UINT32_MAX;
  std::uint64_t wait_ns_ = 0;
  ExpertLayerIndex layer_;
  std::vector<ExpertIndex> wanted_;
  std::size_t pinned_ = 0;
  std::size_t begin_count_ = 0;
  ExpertIoAccount account_;
};

}  // namespace edgemoe
