// SPDX-License-Identifier: Apache-2.0
//
// What the forward pass sees of storage: experts, asked for by layer, given as they become ready.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/routing.h"
#include "engine/base/status.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

// An expert whose bytes are in memory, pinned until Release, or the reason why they are not.
struct ReadyExpert {
  ExpertIndex expert;
  // Packed rows, as in the file; null when status is not OK.
  std::array<const std::byte*, kExpertRoleCount> matrices{};
  std::array<TensorType, kExpertRoleCount> types{};
  Status status;          // DATA_LOSS: this expert cannot be read now; others may be
  std::uint64_t pin = 0;  // the source's own
};

constexpr std::uint32_t kGuessesPerRowMax = 32;
// Batches of more rows ask for so many experts that guessing them is of no use.
constexpr std::size_t kGuessRowsMax = 8;

// What a layer's experts cost; summed up for each request by the caller.
struct ExpertIoAccount {
  std::uint64_t experts_used = 0;
  std::uint64_t hits = 0;        // found in memory
  std::uint64_t bytes_read = 0;  // from storage
  std::uint64_t wait_ns = 0;  // the engine's thread had nothing to compute and waited for storage
};

// Threads: confined to the engine's thread. Use: BeginStep for each batch, then for each layer:
//   source.Begin(layer, rows, experts);
//   if (source.guesses_wanted(next) > 0) source.Guess(next, guesses);
//   while ((n = source.NextReady(ready)) > 0) { compute ready[0..n);
//   source.Release(ready.first(n)); }
// Residents come first, then each missing expert as its bytes land. A layer that wants more experts
// than there are slots is served in waves, as pins are released.
class ExpertSource {
 public:
  virtual ~ExpertSource() = default;

  // A batch begins: caches and predictors count batches.
  virtual void BeginStep() {}

  // Asks for the distinct `experts` of `layer`, which its `rows` chose; issues reads for those that
  // are missing. Does not wait. REQUIRES: the previous layer's experts were all given and released,
  // or Abandon was called.
  virtual void Begin(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
                     std::span<const ExpertIndex> experts) = 0;

  // How many experts of layer `next` each row should guess, by that layer's own router on the
  // present state; at most kGuessesPerRowMax. 0: no guess is of use now, as when the layer that
  // began has more than kGuessRowsMax rows.
  virtual std::uint32_t guesses_wanted(ExpertLayerIndex /*next*/) const { return 0; }
  // The guesses that guesses_wanted asked for, a row each: hints that change speed, never results.
  // Does not wait.
  virtual void Guess(ExpertLayerIndex /*next*/, std::span<const RoutedRow> /*guesses*/) {}

  // Submits and reaps reads without waiting. To be called between pieces of long work.
  virtual void Advance() {}

  // Gives at least one expert that is ready (or failed), at most ready.size(), waiting for storage
  // if none is; 0 when all were given. REQUIRES: experts given before are released or
  // `ready.size()` slots remain free to pin.
  virtual std::size_t NextReady(std::span<ReadyExpert> ready) = 0;

  virtual void Release(std::span<const ReadyExpert> ready) = 0;

  // Gives up what Begin asked for and was not given yet. Reads in flight still land in the cache.
  virtual void Abandon() = 0;

  // Totals since the source was made; differences give a step's account.
  virtual const ExpertIoAccount& account() const = 0;
};

}  // namespace edgemoe
