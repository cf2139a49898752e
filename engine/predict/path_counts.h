// SPDX-License-Identifier: Apache-2.0
//
// How often an expert was chosen after another one had been, one and two layers before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/status.h"

namespace edgemoe {

// One count in a byte for each (layers back, layer, earlier expert, expert): 2 * layer_count *
// experts_per_layer * (experts_per_layer + 1) bytes. When an earlier expert was seen 255 times at a
// layer, its counts there are halved: what was long ago weighs ever less. Thread-compatible.
class PathCounts {
 public:
  static constexpr std::uint32_t kStepsBack = 2;

  PathCounts(std::uint32_t layer_count, std::uint32_t experts_per_layer);

  // `earlier` was chosen, and `back` (1 or 2) layers later, at `layer`, the experts of `choices`.
  template <class Choices>
  void Count(std::uint32_t back, ExpertLayerIndex layer, std::uint32_t earlier,
             const Choices& choices) {
    const std::span<std::uint8_t> row = MutableRow(back, layer, earlier);
    if (row[0] == kCountMax) Halve(row);
    ++row[0];
    for (const auto& choice : choices) ++row[1 + choice.expert];
  }

  // [1 + experts_per_layer]: how often `earlier` was seen, then how often each expert followed,
  // which is at most that.
  std::span<const std::uint8_t> Row(std::uint32_t back, ExpertLayerIndex layer,
                                    std::uint32_t earlier) const;

  // Bytes for Restore on any machine: magic, version, shape, counts, checksum. Allocates.
  std::vector<std::byte> Serialize() const;

  // Takes over what Serialize gave. FAILED_PRECONDITION: of another version or shape; DATA_LOSS:
  // damaged. On an error nothing has changed.
  Status Restore(std::span<const std::byte> bytes);

  std::uint32_t layer_count() const { return layer_count_; }
  std::uint32_t experts_per_layer() const { return experts_per_layer_; }

 private:
  static constexpr std::uint8_t kCountMax = 255;

  std::span<std::uint8_t> MutableRow(std::uint32_t back, ExpertLayerIndex layer,
                                     std::uint32_t earlier);
  std::size_t RowBegin(std::uint32_t back, ExpertLayerIndex layer, std::uint32_t earlier) const;
  static void Halve(std::span<std::uint8_t> row);

  std::uint32_t layer_count_;
  std::uint32_t experts_per_layer_;
  // [kStepsBack, layer_count, experts_per_layer, 1 + experts_per_layer]
  std::vector<std::uint8_t> counts_;
};

}  // namespace edgemoe
