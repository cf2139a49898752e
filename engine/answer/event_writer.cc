// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/event_writer.h"

#include <string>

namespace edgemoe {

void EventWriter::Text(AnswerEvent::Kind kind, std::string_view text) {
  if (text.empty() || events_ == nullptr) return;
  if (!events_->empty() && events_->back().kind == kind) {
    events_->back().text += text;
  } else {
    events_->push_back({.kind = kind, .text = std::string(text)});
  }
}

void EventWriter::NotParsed(std::string_view why) {
  AnswerEvent event{.kind = AnswerEvent::Kind::kNotParsed, .text = std::string(why)};
  if (call_open_) event.call_index = calls_begun_ - 1;
  call_open_ = false;
  if (events_ != nullptr) events_->push_back(std::move(event));
}

void EventWriter::Begin(std::string_view name, std::string_view id) {
  if (events_ != nullptr) {
    events_->push_back({.kind = AnswerEvent::Kind::kCallBegun,
                        .call_index = calls_begun_,
                        .call_name = std::string(name),
                        .call_id = std::string(id)});
  }
  ++calls_begun_;
  call_open_ = true;
}

void EventWriter::Arguments(std::string_view json) { Text(AnswerEvent::Kind::kArguments, json); }

void EventWriter::End() {
  if (events_ != nullptr) {
    events_->push_back({.kind = AnswerEvent::Kind::kCallEnded, .call_index = calls_begun_ - 1});
  }
  ++calls_ended_;
  call_open_ = false;
}

}  // namespace edgemoe
