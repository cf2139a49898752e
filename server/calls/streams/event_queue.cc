// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/event_queue.h"

#include <utility>

namespace edgemoe {
namespace {

// An estimate of the memory that an event holds.
std::size_t EventBytes(const StreamEvent& event) {
  std::size_t bytes = sizeof(StreamEvent);
  if (const auto* chunk = std::get_if<ChunkEvent>(&event)) {
    for (const AnswerEvent& part : chunk->parts)
      bytes += sizeof(AnswerEvent) + part.text.size() + part.call_name.size() + part.call_id.size();
    bytes += chunk->text.size() + chunk->tokens.size() * sizeof(TokenId);
    for (const SampledToken& token : chunk->logprobs)
      bytes += sizeof(SampledToken) + token.top.size() * sizeof(TokenLogprob);
  }
  if (const auto* embedding = std::get_if<EmbeddingEvent>(&event))
    bytes += embedding->values.size() * sizeof(float);
  return bytes;
}

}  // namespace

bool EventQueue::Push(StreamEvent event) {
  if (std::holds_alternative<PromptProgressEvent>(event) && !events_.empty() &&
      std::holds_alternative<PromptProgressEvent>(events_.back())) {
    events_.back() = std::move(event);
    return true;
  }
  const std::size_t bytes = EventBytes(event);
  const bool fits = events_.size() < kEventsMax && bytes_ + bytes <= kBytesMax;
  if (!fits && !std::holds_alternative<FinishedEvent>(event)) return false;
  bytes_ += bytes;
  events_.push_back(std::move(event));
  return true;
}

std::optional<StreamEvent> EventQueue::Pop() {
  if (events_.empty()) return std::nullopt;
  bytes_ -= EventBytes(events_.front());
  StreamEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void EventQueue::Clear() {
  events_.clear();
  bytes_ = 0;
}

}  // namespace edgemoe
