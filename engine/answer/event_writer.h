// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/answer/answer_event.h"
#include "engine/answer/calls/call_reader.h"

namespace edgemoe {

// Writes events, joining texts that belong together.
class EventWriter : public CallSink {
 public:
  // Where the next events go; null: nowhere.
  void set_output(std::vector<AnswerEvent>* events) { events_ = events; }

  void Text(AnswerEvent::Kind kind, std::string_view text);
  // Voids the call that is open, if there is one.
  void NotParsed(std::string_view why);

  void Begin(std::string_view name, std::string_view id) override;
  void Arguments(std::string_view json) override;
  void End() override;

  std::uint32_t calls_begun() const { return calls_begun_; }
  std::uint32_t calls_ended() const { return calls_ended_; }

 private:
  std::vector<AnswerEvent>* events_ = nullptr;
  std::uint32_t calls_begun_ = 0;
  std::uint32_t calls_ended_ = 0;
  bool call_open_ = false;
};

}  // namespace edgemoe
