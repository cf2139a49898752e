// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace edgemoe {

// The routing of a real model, Qwen3-30B-A3B, over one prompt and 128 decoded tokens, as a trace's
// file has it; every weight is 0. Its source stands in qwen3-30b-a3b.routes. Aborts when that file
// is not as its header says.
std::string RecordedTraceText();

}  // namespace edgemoe
