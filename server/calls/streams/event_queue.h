// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <variant>

#include "engine/engine.h"

namespace edgemoe {

// The request has waited for a while: a sign of life.
struct WaitingEvent {};

using StreamEvent = std::variant<WaitingEvent, StartedEvent, PromptProgressEvent, ChunkEvent,
                                 EmbeddingEvent, FinishedEvent>;

// What the engine has produced for one stream and the client has not taken yet. Bounded in events
// and bytes. The engine stops at the half (CanTake), so the other half takes what one of its steps
// may still add. Thread-compatible.
class EventQueue {
 public:
  static constexpr std::size_t kEventsMax = 256;
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;

  // False, and the event is dropped, when it would pass the bounds; FinishedEvent is always taken.
  // A PromptProgressEvent replaces one that is still the last.
  bool Push(StreamEvent event);
  std::optional<StreamEvent> Pop();
  void Clear();

  bool CanTake() const { return events_.size() <= kEventsMax / 2 && bytes_ <= kBytesMax / 2; }
  std::size_t size() const { return events_.size(); }

 private:
  std::deque<StreamEvent> events_;
  std::size_t bytes_ = 0;
};

}  // namespace edgemoe
