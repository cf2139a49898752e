// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/trace_format.h"

#include <cstddef>

namespace edgemoe {
namespace {

// A name as one word of printable characters.
std::string OneWord(std::string_view name) {
  std::string word(name.empty() ? "unknown" : name);
  for (char& c : word)
    if (c <= ' ' || c == 127) c = '_';
  return word;
}

}  // namespace

std::string FormatTraceHeader(const TraceDescription& description) {
  std::string text = "# " + std::string(kTraceFormat) + " " + std::string(kTraceVersion) +
                     "\n# model=" + OneWord(description.model) +
                     " arch=" + OneWord(description.architecture) +
                     " n_layer=" + std::to_string(description.expert_bytes.size()) +
                     " n_expert=" + std::to_string(description.experts_per_layer) +
                     " n_expert_used=" + std::to_string(description.experts_used) + "\n";
  for (std::size_t layer = 0; layer < description.expert_bytes.size(); ++layer) {
    if (description.expert_bytes[layer] == 0) continue;
    text += "# layer=" + std::to_string(layer) +
            " expert_bytes=" + std::to_string(description.expert_bytes[layer]);
    if (layer < description.dense_bytes.size())
      text += " dense_bytes=" + std::to_string(description.dense_bytes[layer]);
    text += '\n';
  }
  text += kTraceColumns;
  text += '\n';
  return text;
}

}  // namespace edgemoe
