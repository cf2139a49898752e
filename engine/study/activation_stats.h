// SPDX-License-Identifier: Apache-2.0
//
// What calibration text does in a model: sums of squares of everything that weights are multiplied
// by, for dense matrices and for each expert alone. From them follows what an error of a weight
// does to the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/model/activation_observer.h"
#include "engine/pack/output.h"
#include "engine/study/activation_layout.h"

namespace edgemoe {

// The sums are floats; each step of the forward pass adds what it summed in double. So they do not
// depend on threads or on the order in which experts come, and on how the text is cut into steps
// only by rounding: at most 2^-24 of the sum a step, as no summand is negative.
//
// Threads: as ActivationObserver's while a forward pass runs; const members from any thread between
// passes. Cost: Bytes() of memory; a tenth of the forward pass of a model 256 wide, less of a wider
// one.
class ActivationStats final : public ActivationObserver {
 public:
  // 108 MB for 48 layers of 128 experts with widths of 2,048 and 768.
  static std::uint64_t Bytes(const ActivationShape& shape);

  // All zeros. RESOURCE_EXHAUSTED: no memory.
  static Result<ActivationStats> Create(const ActivationShape& shape);

  void OnDense(DenseInput input, LayerIndex layer, const float* x, std::size_t row_count,
               std::size_t column_count) override;
  void OnExpertInput(const ObservedUses& uses, const float* x, std::size_t width) override;
  void OnHidden(const ObservedUses& uses, const ObservedHidden& hidden) override;

  const ActivationShape& shape() const { return layout_.shape(); }
  // Tokens that reached the first layer.
  std::uint64_t token_count() const { return row_count(DenseInput::kAttention, LayerIndex{0}); }

  // Rows seen, and the sums of x^2 over them. kOutput is one for all layers.
  std::uint64_t row_count(DenseInput input, LayerIndex layer) const {
    return row_counts_[layout_.row_count_index(input, layer)];
  }
  std::span<const float> dense_sum(DenseInput input, LayerIndex layer) const {
    return Sums(layout_.dense(input, layer));
  }

  std::uint64_t use_count(ExpertKey key) const { return use_counts_[layout_.expert_index(key)]; }
  std::span<const float> sum(ExpertSum which, ExpertKey key) const {
    return Sums(layout_.expert(which, key));
  }
  // Of p and of p^2, [expert_count].
  std::span<const float> weight_sums(ExpertLayerIndex layer) const {
    return Sums(layout_.weight_sums(layer));
  }
  std::span<const float> weight_square_sums(ExpertLayerIndex layer) const {
    return Sums(layout_.weight_square_sums(layer));
  }

  // Experts that no token was routed to.
  std::uint64_t never_used_count() const;

  // FAILED_PRECONDITION names the first tensor of sums that holds an infinity or NaN: the model's
  // activations overflow, or its weights are damaged.
  Status CheckFinite() const;

  // Writes all as a GGUF file (tensors "blk.3.ffn_down_exps.in_sum2" and so on), which appears
  // under `path` when it is whole and replaces what was there. `identity` says what the sums are
  // of: model, text and settings. As CheckFinite; errors of PackOutput name the path.
  Status Save(const std::string& path, std::string_view identity,
              PackDisk disk = PackDisk::Real()) const;

  // Bit for bit what was saved. NOT_FOUND: no file. FAILED_PRECONDITION: of another identity.
  // INVALID_ARGUMENT: not such a file, or not of this shape; names key or tensor, found and
  // expected. DATA_LOSS: the sums are not those that were saved.
  static Result<ActivationStats> Load(const std::string& path, std::string_view identity,
                                      const ActivationShape& shape);

 private:
  ActivationStats(const ActivationShape& shape, AlignedBuffer memory);
  std::span<float> Sums(ActivationLayout::Range range) const {
    return {reinterpret_cast<float*>(memory_.data()) + range.begin, range.count};
  }
  std::uint64_t Checksum() const;  // of all counts and sums

  ActivationLayout layout_;
  AlignedBuffer memory_;                   // the layout's floats
  std::vector<std::uint64_t> row_counts_;  // by the layout's index
  std::vector<std::uint64_t> use_counts_;  // by the layout's index
};

}  // namespace edgemoe
