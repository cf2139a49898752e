// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/harmony_answer.h"

#include <algorithm>
#include <utility>

namespace edgemoe {
namespace {

constexpr std::string_view kStart = "<|start|>";
constexpr std::string_view kChannel = "<|channel|>";
constexpr std::string_view kConstrain = "<|constrain|>";
constexpr std::string_view kMessage = "<|message|>";
constexpr std::string_view kRecipient = "to=";
constexpr std::string_view kAssistant = "assistant";

// One is the beginning of the other.
bool Agree(std::string_view a, std::string_view b) {
  const std::size_t length = std::min(a.size(), b.size());
  return a.substr(0, length) == b.substr(0, length);
}

// What a header that has come so far may go on as.
bool MayBeHeader(std::string_view header) {
  while (!header.empty() && IsCallSpace(header.front())) header.remove_prefix(1);
  for (const std::string_view begin : {kStart, kChannel, kConstrain, kRecipient, kMessage}) {
    if (Agree(header, begin)) return true;
  }
  return false;
}

// The word behind `mark`; empty without it.
std::string_view WordBehind(std::string_view header, std::string_view mark) {
  const std::size_t at = header.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = header.substr(at + mark.size());
  return rest.substr(0, std::min(rest.find_first_of(" \n\t\r<"), rest.size()));
}

}  // namespace

HarmonyAnswer::HarmonyAnswer(std::string_view prompt)
    : header_end_({std::string(kMessage)}),
      text_ends_(
          {"<|end|>", "<|call|>", "<|return|>", std::string(kStart), std::string(kChannel)}) {
  // What the prompt says of the message that follows; it may have opened it.
  const std::size_t start = prompt.rfind(kStart);
  if (start == std::string_view::npos) return;
  std::string_view begun = prompt.substr(start + kStart.size());
  if (!begun.starts_with(kAssistant)) return;
  begun.remove_prefix(kAssistant.size());
  EventWriter nowhere;
  for (const char byte : begun) Push(byte, nowhere);
  apart_ = had_content_ = had_reasoning_ = false;
}

void HarmonyAnswer::Push(char byte, EventWriter& out) {
  switch (part_) {
    case Part::kHeader: ReadHeader(byte, out); break;
    case Part::kCall: ReadCall(byte, out); break;
    default: ReadText(byte, out); break;
  }
}

void HarmonyAnswer::BeginHeader(std::string_view mark) {
  part_ = Part::kHeader;
  header_ = std::string(mark);
}

void HarmonyAnswer::ReadHeader(char byte, EventWriter& out) {
  header_ += byte;
  const bool too_long = header_.size() > kHarmonyHeaderBytesMax;
  if (too_long || !MayBeHeader(header_)) {
    if (too_long) out.NotParsed("a message's header that is longer than 512 bytes");
    header_end_.TakeHeld();
    BeginText(Part::kContent);
    // Its own bytes: in them no mark ends anything.
    TakeText(std::exchange(header_, {}), out);
    return;
  }
  std::string before;
  if (header_end_.Push(std::string_view(&byte, 1), before)) EndHeader(out);
}

void HarmonyAnswer::EndHeader(EventWriter& out) {
  const std::string header = std::exchange(header_, {});
  constexpr std::string_view kFunctions = "functions.";
  std::string_view recipient = WordBehind(header, kRecipient);
  if (recipient.starts_with(kFunctions)) recipient.remove_prefix(kFunctions.size());
  if (!recipient.empty()) {
    part_ = Part::kCall;
    arguments_ = JsonArguments();
    call_text_.clear();
    if (std::all_of(recipient.begin(), recipient.end(), IsCallNameByte)) {
      out.Begin(recipient, {});
      if (out.calls_begun() > kCallsMax) GiveUp("more than 128 calls", out);
    } else {
      GiveUp("a call without a name", out);
    }
    return;
  }
  BeginText(WordBehind(header, kChannel) == "analysis" ? Part::kReasoning : Part::kContent);
}

void HarmonyAnswer::BeginText(Part part) {
  part_ = part;
  fence_.Reset();
  apart_ = part == Part::kReasoning ? had_reasoning_ : had_content_;
}

void HarmonyAnswer::ReadText(char byte, EventWriter& out) {
  std::string text;
  const std::optional<std::size_t> mark = text_ends_.Push(std::string_view(&byte, 1), text);
  TakeText(text, out);
  if (!mark) return;
  const std::string& end = text_ends_.sequence(*mark);
  if (part_ == Part::kContent && fence_.inside()) {
    TakeText(end, out);
  } else {
    BeginHeader(end == kStart || end == kChannel ? end : "");
  }
}

void HarmonyAnswer::TakeText(std::string_view text, EventWriter& out) {
  if (text.empty()) return;
  if (part_ == Part::kAfterCall) {
    if (std::all_of(text.begin(), text.end(), IsCallSpace)) return;
    BeginText(Part::kContent);
  }
  const bool reasoning = part_ == Part::kReasoning;
  const auto kind = reasoning ? AnswerEvent::Kind::kReasoning : AnswerEvent::Kind::kContent;
  if (std::exchange(apart_, false)) out.Text(kind, "\n\n");
  (reasoning ? had_reasoning_ : had_content_) = true;
  if (!reasoning) {
    for (const char byte : text) fence_.Push(byte);
  }
  out.Text(kind, text);
}

void HarmonyAnswer::ReadCall(char byte, EventWriter& out) {
  call_text_ += byte;
  const ReadStep step = arguments_.Push(byte, out);
  if (step == ReadStep::kDone) {
    out.End();
    call_text_.clear();
    part_ = Part::kAfterCall;
  } else if (step == ReadStep::kFailed) {
    GiveUp("a call whose arguments are no JSON object", out);
  } else if (call_text_.size() >= kCallBytesMax) {
    GiveUp("a call that is longer than 1 MiB", out);
  }
}

// The message was none for a tool: its text is content, and what follows belongs to it.
void HarmonyAnswer::GiveUp(std::string_view why, EventWriter& out) {
  out.NotParsed(why);
  BeginText(Part::kContent);
  for (const char byte : std::exchange(call_text_, {})) ReadText(byte, out);
}

void HarmonyAnswer::Finish(EventWriter& out) {
  if (part_ == Part::kCall) GiveUp("a call that the answer's end cuts off", out);
  // A header without a text says nothing to anybody.
  if (part_ != Part::kHeader) TakeText(text_ends_.TakeHeld(), out);
}

}  // namespace edgemoe
