// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/answer/answer_parser.h"

namespace edgemoe {

// Events as lines, those that are one joined: "reasoning TEXT", "content TEXT", "call 0 NAME ID",
// "arguments JSON", "end 0", "not parsed: WHY", "not parsed 0: WHY".
std::vector<std::string> Parts(std::span<const AnswerEvent> events);

struct AnswerCase {
  std::string name;
  std::string template_text;  // enough of one to tell the format
  std::string prompt;         // its end
  std::vector<AnswerTool> tools;
  std::string answer;
  std::vector<std::string> parts;
};

AnswerParser ParserFor(const AnswerCase& of);
// All of the answer, in pieces that end at `cuts`, which ascend.
std::vector<std::string> PartsOf(const AnswerCase& of, std::span<const std::size_t> cuts);

// Answers of every family, with what is in them.
const std::vector<AnswerCase>& FamilyAnswers();

}  // namespace edgemoe
