// SPDX-License-Identifier: Apache-2.0
//
// What a layer's router decided, as the cache, predictors and traces see it.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/ids.h"

namespace edgemoe {

// One expert for one token, with the router's weight.
struct ExpertChoice {
  std::uint32_t expert;
  float weight;  // of a row's choices they sum to 1; of a guess: how likely
};

// A running session's place, [0, sessions_max): given when it joins, free again when it leaves.
using SessionSlot = Id<struct SessionSlotTag, std::uint32_t>;

enum class RoutingPhase : std::uint8_t { kPrefill = 0, kDecode = 1 };

// One token of a batch at one layer.
struct RoutedRow {
  RequestId request;  // tells one session in a slot from the next one
  SessionSlot session;
  RoutingPhase phase = RoutingPhase::kDecode;
  std::uint32_t position = 0;             // of the token in its sequence
  std::span<const ExpertChoice> choices;  // best first
};

// Sees each layer's routing before its experts are read. Called on the engine's thread; must not
// wait or allocate.
class RoutingObserver {
 public:
  virtual ~RoutingObserver() = default;
  // A batch begins.
  virtual void OnStep() = 0;
  // `read_bytes`: [experts_per_layer], 0 for experts that are in memory, else what storage has to
  // give for them.
  virtual void OnRouted(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
                        std::span<const std::uint64_t> read_bytes) = 0;
};

}  // namespace edgemoe
