// SPDX-License-Identifier: Apache-2.0
//
// Experts of a model with some of their matrices replaced: what happens to the output when these
// are quantised.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/stream/expert_source.h"

namespace edgemoe {

// Which matrices are replaced and by what. Confined to the thread that runs the model; changed only
// between its batches.
class ReplacedExperts {
 public:
  struct Matrix {
    TensorType type = TensorType::kF32;
    const std::byte* bytes = nullptr;  // null: not replaced
  };
  using Matrices = std::array<Matrix, kExpertRoleCount>;

  ReplacedExperts(std::uint32_t layer_count, std::uint32_t experts_per_layer);

  // `bytes`: packed rows of the same shape in `type`, which the caller keeps alive and unchanged
  // until another Set or Clear. REQUIRES: the model has this expert.
  void Set(ExpertKey key, ExpertRole role, TensorType type, std::span<const std::byte> bytes);
  void Clear();

  bool empty() const { return changed_.empty(); }
  const Matrices& of(ExpertKey key) const { return matrices_[IndexOf(key)]; }

 private:
  std::size_t IndexOf(ExpertKey key) const;

  std::uint32_t layer_count_;
  std::uint32_t experts_per_layer_;
  std::vector<Matrices> matrices_;    // [layer_count, experts_per_layer]
  std::vector<std::size_t> changed_;  // indices that have a matrix, perhaps twice
};

// Gives `inner`'s experts with the overlay's matrices in place of their own. What is replaced is
// still read: an expert that cannot be read fails as it does without the overlay.
class ReplacedExpertsSource final : public ExpertSource {
 public:
  // Both outlive this object.
  ReplacedExpertsSource(ExpertSource* inner, const ReplacedExperts* overlay);

  void BeginStep() override { inner_->BeginStep(); }
  void Begin(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
             std::span<const ExpertIndex> experts) override;
  std::uint32_t guesses_wanted(ExpertLayerIndex next) const override {
    return inner_->guesses_wanted(next);
  }
  void Guess(ExpertLayerIndex next, std::span<const RoutedRow> guesses) override {
    inner_->Guess(next, guesses);
  }
  void Advance() override { inner_->Advance(); }
  std::size_t NextReady(std::span<ReadyExpert> ready) override;
  void Release(std::span<const ReadyExpert> ready) override { inner_->Release(ready); }
  void Abandon() override { inner_->Abandon(); }
  const ExpertIoAccount& account() const override { return inner_->account(); }

 private:
  ExpertSource* const inner_;
  const ReplacedExperts* const overlay_;
  ExpertLayerIndex layer_;
};

}  // namespace edgemoe
