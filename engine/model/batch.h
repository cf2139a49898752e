// SPDX-License-Identifier: Apache-2.0
//
// What a step of the model is given and what it gives back, row by row.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>

#include "engine/base/ids.h"
#include "engine/base/routing.h"
#include "engine/base/status.h"
#include "engine/model/state/sequence_state.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {

// One token to run. Rows of one sequence stand together, in order of position.
// REQUIRES: token < vocabulary, position < config.context_length.
struct BatchRow {
  // Prepared for this step; positions before were run in earlier steps or rows.
  SequenceState* sequence = nullptr;
  std::uint32_t position = 0;
  TokenId token;
  bool wants_logits = false;
  // Read before each layer; once true the row is dropped from the rest of the step. May be null.
  const std::atomic<bool>* cancelled = nullptr;
  // Whose token it is: for caches and predictors, never for results.
  RequestId request{};
  SessionSlot session{};
  RoutingPhase phase = RoutingPhase::kDecode;
  bool wants_hidden = false;  // not with wants_logits
};

struct RowResult {
  // OK; CANCELLED; DATA_LOSS when an expert that the row needs could not be read. A row that failed
  // leaves its position in the sequence undefined, and fails the rows after it of the same sequence
  // with its own status; other sequences are unaffected.
  Status status;
  // [vocabulary] when asked for and OK; valid until the next Run. Null otherwise.
  const float* logits = nullptr;
  // [width] when asked for and OK, after the last norm; valid until the next Run. Empty otherwise.
  std::span<const float> hidden;
  // What the row's experts cost, for the request's account: shared experts count for each row that
  // uses them, bytes and waiting for the first such row.
  ExpertIoAccount io;
};

// Is shown the logits [vocabulary] of a row; they are gone afterwards.
using LogitSink = std::function<void(const BatchRow& row, std::span<const float> logits)>;

}  // namespace edgemoe
