// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/answer/answer_format.h"
#include "engine/answer/calls/call_reader.h"

namespace edgemoe {

// The marks after which a call is read; none for kNone.
std::vector<std::string> CallMarks(CallSyntax syntax);

// For what follows such a mark. `tools` outlive the reader. REQUIRES: not kNone.
std::unique_ptr<CallReader> MakeCallReader(CallSyntax syntax, std::span<const AnswerTool> tools);

}  // namespace edgemoe
