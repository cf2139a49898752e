// SPDX-License-Identifier: Apache-2.0
//
// The messages of a request as a conversation: a system message, or none, and turns. A turn is a
// message of the user with all that followed it up to the user's next one: answers, and calls of
// tools with their results.
#pragma once

#include <string>

#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

void AddMessage(v1::ChatRequest& request, const char* role, std::string text);
// All of its parts.
std::string TextOf(const v1::ChatMessage& message);

bool HasSystemMessage(const v1::ChatRequest& request);
// Replaces it, or takes it away where the text is empty; the turns stay.
void SetSystemMessage(v1::ChatRequest& request, std::string text);

int TurnCount(const v1::ChatRequest& request);
// REQUIRES: there are as many.
void DropOldestTurns(v1::ChatRequest& request, int count);
// What followed the user's last message. False where the user has said nothing yet.
bool DropLastAnswer(v1::ChatRequest& request);

}  // namespace edgemoe::cli
