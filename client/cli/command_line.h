// SPDX-License-Identifier: Apache-2.0
//
// The command line as values. Ranges of sampling and stopping are the daemon's to judge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/session.h"
#include "client/cli/terminal/exit_code.h"
#include "client/cli/terminal/input.h"
#include "edgemoe/v1/inference.pb.h"
#include "edgemoe/v1/models.pb.h"
#include "edgemoe/v1/observe.pb.h"

namespace edgemoe::cli {

struct CompleteCommand {
  TextSource prompt;
  v1::CompleteRequest request;  // the prompt is still to be put in, but for prompt_tokens
};

struct ChatCommand {
  std::string system;
  std::optional<std::string> message;  // one question instead of a conversation
  v1::ChatRequest request;             // without messages
  std::string tools_file;              // empty: no tools
  bool runs_tools_unasked = false;
};

struct TokenizeCommand {
  TextSource text;
  v1::TokenizeRequest request;  // without the text
};

struct DetokenizeCommand {
  v1::DetokenizeRequest request;  // no tokens: they are on standard input
};

struct TemplateCommand {
  std::string system;
  std::vector<std::string> messages;  // user and assistant in turn
  v1::ApplyTemplateRequest request;   // without messages
};

struct ScoreCommand {
  TextSource text;
  std::uint32_t window_tokens = 0;  // 0: the context that the daemon serves
  v1::ScoreRequest request;         // without the text
};

struct EmbedCommand {
  std::vector<std::string> texts;  // none: the lines of standard input
  v1::EmbedRequest request;        // without texts
};

struct ModelsCommand {
  std::string name;  // empty: all
};

struct AddModelCommand {
  std::string path;  // as it was typed
};

struct RemoveModelCommand {
  std::string name;
  bool yes = false;  // asks no question
};

struct PullCommand {
  v1::PullRequest request;  // without hub and token
  bool cancel = false;      // ends the download that runs, instead
};

struct PlanCommand {
  v1::PlanRequest request;
};

struct PackCommand {
  v1::PackRequest request;  // with paths as they were typed
};

struct TraceRecordCommand {
  std::string output;  // "-": standard output
  v1::RecordTraceRequest request;
};

struct TraceReplayCommand {
  std::vector<std::string> arguments;  // for edgemoe-bench replay
};

struct StatsCommand {};

struct HealthCommand {
  bool alive = false;  // an answer is enough, whatever it says
};

struct ProbeCommand {
  v1::ProbeRequest request;
};

struct ResizeCommand {
  std::uint64_t budget_bytes = 0;
};

struct SetupCommand {
  std::string model;               // empty: choose
  std::uint64_t budget_bytes = 0;  // 0: the daemon's choice
  bool yes = false;                // takes the recommended one unasked
  bool start = true;               // has the service take it over
  std::string config_folder;       // of drop-ins; empty: where this user's daemon looks
};

struct DoctorCommand {
  std::string path;  // a model or a folder for models; empty: what the daemon uses
};

struct PsCommand {};

struct AbortCommand {
  std::string request_id;
};

// What the command line itself takes, written out.
struct ReferenceCommand {
  std::string text;
};

using Command =
    std::variant<CompleteCommand, ChatCommand, TokenizeCommand, DetokenizeCommand, TemplateCommand,
                 ScoreCommand, EmbedCommand, ModelsCommand, PlanCommand, PackCommand,
                 AddModelCommand, RemoveModelCommand, PullCommand, TraceRecordCommand,
                 TraceReplayCommand, StatsCommand, HealthCommand, ResizeCommand, ProbeCommand,
                 DoctorCommand, SetupCommand, PsCommand, AbortCommand, ReferenceCommand>;

struct CommandLine {
  CommonOptions common;
  Command command;
};

// Prints help, or what is wrong, itself; then gives the exit code alone.
std::variant<CommandLine, ExitCode> ParseCommandLine(int argc, char** argv);

}  // namespace edgemoe::cli
