// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/answer/event_writer.h"

namespace edgemoe {

constexpr std::size_t kHeldSpaceBytesMax = 64;

// Reads an answer byte by byte, so that nothing can depend on how it is cut.
class AnswerSplitter {
 public:
  virtual ~AnswerSplitter() = default;
  virtual void Push(char byte, EventWriter& out) = 0;
  virtual void Finish(EventWriter& out) = 0;
  virtual bool in_reasoning() const = 0;
};

}  // namespace edgemoe
