// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/base/status.h"
#include "engine/stream/expert_layout.h"
#include "engine/stream/read_plan.h"

namespace edgemoe {

// Compares what was read of an expert with the layout's checksum, each expert once: what storage
// gave right the first time, it is trusted to give again. Confined to the engine's thread. No
// allocation after construction, except for the message of a failure.
class ExpertVerifier {
 public:
  // `layout` outlives the verifier. `paths` by file index, for messages; may be empty.
  // REQUIRES: as many checksums as extents, or none.
  explicit ExpertVerifier(const ExpertLayout& layout, std::vector<std::string> paths = {});

  // Whether the next Verify of `key` computes anything: there are checksums, and it was not found
  // right before.
  bool IsDue(ExpertKey key) const;

  // `slot` holds the expert's bytes as `plan` placed them. OK at once when not due. DATA_LOSS names
  // layer, expert, both checksums and the file; that expert stays due.
  Status Verify(ExpertKey key, std::span<const std::byte> slot, const ReadPlan& plan);

  // All experts are due again: the file may have changed.
  void ForgetAll();

 private:
  const ExpertLayout& layout_;
  const std::vector<std::string> paths_;
  std::vector<std::uint64_t> verified_;  // a bit for each expert; empty without checksums
};

}  // namespace edgemoe
