// SPDX-License-Identifier: Apache-2.0
//
// A question with what it takes to answer it: tools that are run, turns that no longer fit.
#pragma once

#include "client/cli/chat/answer.h"
#include "client/cli/session.h"
#include "client/cli/tools/tool_box.h"
#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

constexpr int kToolRoundsMax = 32;  // of answers to one question

void AddAnswer(v1::ChatRequest& request, const Answer& answer);

// Asks the last message, runs the tools that the answer calls, and asks on with what they gave,
// until an answer calls none. The request gets all messages between the question and the last
// answer. Where the prompt is longer than the context that is served, the request loses its oldest
// turns, and stderr is told how many; an answer that has still the reason CONTEXT_EXCEEDED says
// that the last turn alone does not fit.
Answer Ask(Session& session, v1::ChatRequest& request, const ToolBox& tools);

}  // namespace edgemoe::cli
