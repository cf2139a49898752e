// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "engine/base/routing.h"

namespace edgemoe {

// Guesses what a layer's router will choose, from what routers chose before. A pure function of
// what it was told: no clock, no I/O. Confined to one thread; no allocation after construction.
class Predictor {
 public:
  virtual ~Predictor() = default;

  // The layers of a step in order; each row once a layer.
  virtual void Observe(ExpertLayerIndex layer, const RoutedRow& row) = 0;

  // Fills `guesses` with likely experts of layer `next` for the sequence of `row` (whose choices
  // are not looked at), best first, distinct, weights in [0, 1]; returns how many, 0 when nothing
  // is known. `next` 0 is asked for the row's next token, after its last layer.
  virtual std::size_t Guess(ExpertLayerIndex next, const RoutedRow& row,
                            std::span<ExpertChoice> guesses) const = 0;
};

}  // namespace edgemoe
