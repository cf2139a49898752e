// SPDX-License-Identifier: Apache-2.0
//
// Models that write given texts, as real GGUF files: for tests of what becomes of an answer (parts,
// tool calls) where no tiny model would write one. A script is a chain of tokens, each with a few
// characters of the text and each followed by the next one, whatever stood before it. It begins
// where a prompt ends in the token "<|script:NAME|>", which the chat template has to write.
#pragma once

#include <string>
#include <vector>

#include "tests/support/models/random_model.h"

namespace edgemoe {

struct Script {
  std::string name;
  std::string text;
  std::string repeated{};   // behind it, for ever; empty: "<|im_end|>" ends the answer
  bool after_line = false;  // begins behind a line feed, too, as where reasoning was closed
};

// A qwen3moe whose layers add nothing to what an embedding says, with the tests' vocabulary and
// after it the scripts'. For WriteRandomModel.
RandomModelOptions ScriptedModel(const std::string& template_text,
                                 const std::vector<Script>& scripts);

}  // namespace edgemoe
