// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "engine/pack/pack_tensors.h"
#include "engine/study/activation_stats.h"
#include "engine/study/importance.h"

namespace edgemoe {

// How much an error of a weight counts, by calibration. With e the error of a weight in row j and
// column k, the sum of columns[k] * rows[j] * e^2, times the scale, is the square of what a token's
// residual stream is moved by on average, as far as errors are independent: for down and
// attention_output by themselves; for gate and up when rows[j] is also multiplied by the square of
// down's column j, through which they act. For other roles the unit is that of their own output.
// Immutable; any thread. `stats` outlives it.
class ErrorWeights {
 public:
  // `tied_output`: the embedding is the output matrix too. `config` outlives this, too.
  ErrorWeights(const ActivationStats& stats, const ModelConfig& config, bool tied_output)
      : stats_(stats), config_(config), tied_output_(tied_output), table_(stats) {}

  // [tensor.columns()], mean 1; empty where nothing is known, as for an embedding of its own.
  std::vector<float> Columns(const PackTensor& tensor) const;
  // [tensor.rows()], mean 1, of gate and up; empty for others.
  std::vector<float> Rows(const PackTensor& tensor) const;
  double Scale(const PackTensor& tensor) const;

 private:
  // What a dense matrix is multiplied by; nothing where no statistics are of that.
  std::optional<DenseInput> InputOf(const PackTensor& tensor) const;
  double UsesPerToken(ExpertKey key) const;
  // Mean of p^2 over the expert's uses.
  double WeightSquare(ExpertKey key) const;

  const ActivationStats& stats_;
  const ModelConfig& config_;
  const bool tied_output_;
  ImportanceTable table_;
};

}  // namespace edgemoe
