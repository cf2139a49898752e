// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/adaptive_pack.h"

namespace edgemoe {

Result<PackReport> RunAdaptivePack(const PackOptions&) {
  return Failure(UnimplementedError("pack: being built"));
}

Result<PackMemory> PlanPackMemory(const PackOptions&) { return PackMemory{}; }

}  // namespace edgemoe
