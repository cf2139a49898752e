// SPDX-License-Identifier: Apache-2.0
//
// How the methods choose a type for each tensor. All of them speak of a choice as a vector of types
// in the order of SourceStudy::tensors().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/base/result.h"
#include "engine/bits/allocation.h"
#include "engine/bits/damage_table.h"
#include "engine/bits/sensitivity.h"
#include "engine/study/source_study.h"

namespace edgemoe {

using TensorTypes = std::vector<TensorType>;

// A family of choices with one knob: more of it is more bytes and less damage.
class TypeSearch {
 public:
  virtual ~TypeSearch() = default;
  // The best choice whose weights, each padded as the pack's writer does, take at most so many
  // bytes. OUT_OF_RANGE names the least.
  virtual Result<TensorTypes> WithinBytes(std::uint64_t bytes_max) = 0;
  virtual std::uint64_t least_bytes() const = 0;
  // The choice of fewest bytes that meets a tolerance, as far as it can be found with a few calls
  // of `measure`, which writes a pack and gives how much of the tolerance it uses: up to 1 meets
  // it. `kl` is about where the tolerance lies. OUT_OF_RANGE when none that was tried meets it.
  using Measure = std::function<Result<double>(const TensorTypes& types)>;
  virtual Result<TensorTypes> Smallest(double kl, const Measure& measure) = 0;
  // KL that is expected of a choice; negative: not known.
  virtual double ExpectedKl(const TensorTypes& types) const = 0;
  virtual std::vector<PackPoint> Curve() const { return {}; }
};

// By damages and what they are worth. With PackGranularity::kRole all experts of a layer share the
// types of their three matrices. The three arguments outlive it.
std::unique_ptr<TypeSearch> MakeSensitivitySearch(const SourceStudy& study,
                                                  const DamageTable& damages,
                                                  const Sensitivity& sensitivity,
                                                  PackGranularity granularity);

// `wanted`; where the tensor's columns are no whole number of its blocks, the next wider type of
// smaller blocks; the source's where neither is smaller than it. More bits wanted are never fewer
// bytes.
TensorType TypeOr(const PackTensor& tensor, TensorType wanted);

// One type for all matrices, as TypeOr.
std::unique_ptr<TypeSearch> MakeUniformSearch(const SourceStudy& study);

// The paper's: `importance` [layers * experts] is the KL of each expert alone at the lowest width.
std::unique_ptr<TypeSearch> MakeEdgemoeSearch(const SourceStudy& study,
                                              const std::vector<double>& importance);
// The three widths, and what dense matrices have.
constexpr TensorType kEdgemoeWidths[] = {TensorType::kQ2_K, TensorType::kQ4_K, TensorType::kQ8_0};
constexpr TensorType kEdgemoeDense = TensorType::kQ8_0;
// All experts at the middle width: what `importance` is measured on.
TensorTypes EdgemoeBase(const SourceStudy& study);

// OUT_OF_RANGE, with the least that was measured, in units of the tolerance.
Status NoneMeets(double least_use);

// Bytes of a tensor in a pack with its padding, as far as it can be told of one tensor.
std::uint64_t PaddedBytes(const PackTensor& tensor, TensorType type);

}  // namespace edgemoe
