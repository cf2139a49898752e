// SPDX-License-Identifier: Apache-2.0
//
// How much of a conversation is to be forgotten so that it fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "client/status.h"
#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

// What the daemon takes as one request.
constexpr int kMessagesMax = 4096;
constexpr std::size_t kRequestBytesMax = (std::size_t{4} << 20) - (std::size_t{64} << 10);

// The oldest turns with which a conversation is no request any more; never the last turn.
int TurnsBeyondRequest(const v1::ChatRequest& request);

// Why the daemon refused a prompt, where it was for its length: the figures that it told.
struct ContextRefusal {
  std::optional<std::uint64_t> context_tokens;
  std::optional<std::uint64_t> prompt_tokens;
};
std::optional<ContextRefusal> ContextRefusalOf(const client::Status& status);

// How many of the oldest turns to drop after a refusal: so many that the rest, by its bytes, leaves
// a quarter of the context to the answer. `again`: an estimate has failed before; then at least
// half of the turns go, so that a conversation of N turns is refused at most 1 + log2(N) times.
// Never the last turn: 0 where there is only one.
int TurnsToDrop(const v1::ChatRequest& request, const ContextRefusal& refusal, bool again);

}  // namespace edgemoe::cli
