// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/answer/answer_parts.h"

namespace edgemoe {

std::vector<std::string> Parts(std::span<const AnswerEvent> events) {
  using Kind = AnswerEvent::Kind;
  std::vector<std::string> parts;
  const AnswerEvent* last = nullptr;
  for (const AnswerEvent& event : events) {
    const std::string index = event.call_index ? std::to_string(*event.call_index) : "";
    const bool joined = last != nullptr && last->kind == event.kind;
    switch (event.kind) {
      case Kind::kReasoning: parts.push_back((joined ? "" : "reasoning ") + event.text); break;
      case Kind::kContent: parts.push_back((joined ? "" : "content ") + event.text); break;
      case Kind::kArguments: parts.push_back((joined ? "" : "arguments ") + event.text); break;
      case Kind::kCallBegun:
        parts.push_back("call " + index + " " + event.call_name +
                        (event.call_id.empty() ? "" : " " + event.call_id));
        break;
      case Kind::kCallEnded: parts.push_back("end " + index); break;
      case Kind::kNotParsed:
        parts.push_back("not parsed" + (index.empty() ? "" : " " + index) + ": " + event.text);
        break;
    }
    const bool text = event.kind == Kind::kReasoning || event.kind == Kind::kContent ||
                      event.kind == Kind::kArguments;
    if (joined && text) {
      const std::string more = std::move(parts.back());
      parts.pop_back();
      parts.back() += more;
    }
    last = &event;
  }
  return parts;
}

AnswerParser ParserFor(const AnswerCase& of) {
  return AnswerParser(FindAnswerFormat(of.template_text), of.tools, of.prompt);
}

std::vector<std::string> PartsOf(const AnswerCase& of, std::span<const std::size_t> cuts) {
  AnswerParser parser = ParserFor(of);
  std::vector<AnswerEvent> events;
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    std::vector<AnswerEvent> piece;
    parser.Push(std::string_view(of.answer).substr(begin, cut - begin), piece);
    events.insert(events.end(), piece.begin(), piece.end());
    begin = cut;
  }
  parser.Push(std::string_view(of.answer).substr(begin), events);
  parser.Finish(events);
  return Parts(events);
}

}  // namespace edgemoe
