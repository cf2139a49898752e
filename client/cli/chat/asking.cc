// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/asking.h"

#include <cstdio>
#include <string>
#include <utility>

#include "client/cli/chat/context_fit.h"
#include "client/cli/chat/turns.h"

namespace edgemoe::cli {
namespace {

void TellDropped(Session& session, int turns, const std::string& what) {
  if (turns == 0) return;
  session.status_line().Clear();
  const std::string count = turns == 1 ? "turn" : std::to_string(turns) + " turns";
  std::fprintf(stderr, "dropped the oldest %s: the conversation no longer fits %s\n", count.c_str(),
               what.c_str());
}

std::string ContextText(const ContextRefusal& refusal) {
  if (!refusal.context_tokens) return "the context";
  return "the context of " + std::to_string(*refusal.context_tokens) + " tokens";
}

// One answer to a request that loses its oldest turns until it fits.
Answer AskOnce(Session& session, v1::ChatRequest& request) {
  int dropped = TurnsBeyondRequest(request);
  DropOldestTurns(request, dropped);
  std::string what = "one request";
  for (bool again = false;; again = true) {
    const auto open = [&] { return session.client().Chat(request); };
    Answer answer = RunAnswer(session, std::function<client::ChatStream()>(open),
                              [&] { TellDropped(session, dropped, what); });
    const auto refusal = ContextRefusalOf(answer.status);
    if (!refusal) return answer;
    const int more = TurnsToDrop(request, *refusal, again);
    if (more == 0) return answer;
    DropOldestTurns(request, more);
    dropped += more;
    what = ContextText(*refusal);
  }
}

}  // namespace

void AddAnswer(v1::ChatRequest& request, const Answer& answer) {
  AddMessage(request, "assistant", answer.text);
  v1::ChatMessage& message = *request.mutable_messages()->rbegin();
  message.set_reasoning(answer.reasoning);
  message.mutable_tool_calls()->Add(answer.tool_calls.begin(), answer.tool_calls.end());
}

Answer Ask(Session& session, v1::ChatRequest& request, const ToolBox& tools) {
  for (int round = 0;; ++round) {
    Answer answer = AskOnce(session, request);
    const bool goes_on = answer.status.ok() && !answer.interrupted && !answer.tool_calls.empty();
    if (!goes_on || tools.empty()) return answer;
    if (round == kToolRoundsMax) {
      answer.status = {client::StatusCode::kResourceExhausted,
                       "the model has called tools " + std::to_string(round) +
                           " times for one question, the most that is accepted"};
      return answer;
    }
    AddAnswer(request, answer);
    for (const v1::ToolCall& call : answer.tool_calls) {
      auto result = tools.Answer(call, session.interrupts());
      if (!result) {
        answer.interrupted = true;
        answer.text.clear();
        answer.status = result.error();
        return answer;
      }
      *request.add_messages() = *std::move(result);
    }
  }
}

}  // namespace edgemoe::cli
