// SPDX-License-Identifier: Apache-2.0
#include "client/cli/tools/tool_program.h"

#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "client/cli/tools/child_program.h"

namespace edgemoe::cli {
namespace {

std::string AsUtf8(const std::string& text) {
  return nlohmann::json::parse(
             nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .get<std::string>();
}

std::string EndText(int status) {
  if (WIFSIGNALED(status)) return "[ended by signal " + std::to_string(WTERMSIG(status)) + "]";
  if (WEXITSTATUS(status) != 0) return "[exit status " + std::to_string(WEXITSTATUS(status)) + "]";
  return {};
}

}  // namespace

client::Result<std::string> RunToolProgram(const std::vector<std::string>& command,
                                           const std::string& input, Interrupts& interrupts) {
  ProgramOptions options;
  options.input = input;
  const client::Result<ProgramEnd> program = RunProgram(command, options, interrupts);
  if (!program) return tl::unexpected(program.error());
  std::string text = AsUtf8(program->output);
  if (program->cut)
    text += "\n[cut off after " + std::to_string(kProgramOutputBytesMax >> 20) + " MiB]";
  if (const std::string end = EndText(program->status); !end.empty()) {
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    text += end;
  }
  return text;
}

}  // namespace edgemoe::cli
