// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/result.h"
#include "engine/model/sampler.h"

namespace edgemoe {

// The log-probability of a given token and of the `top_count` most likely ones (best first, equals
// by id). `logits` [vocabulary]. INTERNAL when the logits are no distribution (NaN weights).
Result<SampledToken> ScoreToken(std::span<const float> logits, TokenId token,
                                std::uint32_t top_count);

}  // namespace edgemoe
