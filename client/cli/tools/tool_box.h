// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/cli/terminal/interrupts.h"
#include "client/cli/tools/tool_file.h"
#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

// The tools of one conversation.
class ToolBox {
 public:
  // `allows`: whether a call may be run, which its text tells.
  using Ask = std::function<bool(const std::string& call)>;
  ToolBox(std::vector<LocalTool> tools, Ask allows)
      : tools_(std::move(tools)), allows_(std::move(allows)) {}

  bool empty() const { return tools_.empty(); }
  // Gives the model the definitions.
  void Describe(v1::ChatRequest& request) const;
  // Runs what a call asks for, if that is allowed, and gives the message that answers it: the
  // program's output, or why there is none. CANCELLED on Ctrl-C.
  client::Result<v1::ChatMessage> Answer(const v1::ToolCall& call, Interrupts& interrupts) const;

 private:
  client::Result<std::string> Run(const v1::ToolCall& call, Interrupts& interrupts) const;

  std::vector<LocalTool> tools_;
  Ask allows_;
};

}  // namespace edgemoe::cli
