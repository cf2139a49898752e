// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/answer_parser.h"

#include <utility>

#include "engine/answer/answer_splitter.h"
#include "engine/answer/event_writer.h"
#include "engine/answer/harmony_answer.h"
#include "engine/answer/marked_answer.h"

namespace edgemoe {

AnswerParser::AnswerParser(const AnswerFormat& format, std::vector<AnswerTool> tools,
                           std::string_view prompt)
    : tools_(std::make_unique<const std::vector<AnswerTool>>(std::move(tools))),
      writer_(std::make_unique<EventWriter>()) {
  if (format.channels) {
    splitter_ = std::make_unique<HarmonyAnswer>(prompt);
  } else {
    splitter_ = std::make_unique<MarkedAnswer>(format, *tools_, prompt);
  }
}

AnswerParser::~AnswerParser() = default;
AnswerParser::AnswerParser(AnswerParser&&) noexcept = default;
AnswerParser& AnswerParser::operator=(AnswerParser&&) noexcept = default;

void AnswerParser::Push(std::string_view text, std::vector<AnswerEvent>& events) {
  writer_->set_output(&events);
  for (const char byte : text) splitter_->Push(byte, *writer_);
  writer_->set_output(nullptr);
}

void AnswerParser::Finish(std::vector<AnswerEvent>& events) {
  writer_->set_output(&events);
  splitter_->Finish(*writer_);
  writer_->set_output(nullptr);
}

bool AnswerParser::in_reasoning() const { return splitter_->in_reasoning(); }

}  // namespace edgemoe
