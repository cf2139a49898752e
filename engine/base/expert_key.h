// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>

#include "engine/base/ids.h"

namespace edgemoe {

// Names one expert of the model.
struct ExpertKey {
  ExpertLayerIndex layer;
  ExpertIndex expert;
  friend constexpr auto operator<=>(const ExpertKey&, const ExpertKey&) = default;
};

}  // namespace edgemoe
