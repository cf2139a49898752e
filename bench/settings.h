// SPDX-License-Identifier: Apache-2.0
//
// The command line as values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/options.h"

namespace edgemoe::bench {

// What decode, prefill and baselines share. Every combination of the lists' values is measured.
struct RunSettings {
  // Files of one model. Shares of the experts, and the storage's scale, are those of the first one,
  // so that all files have the same memory and the same device.
  std::vector<std::string> models = {};
  std::string budget;                            // memory, as in "1200MiB"; empty: all it wants
  std::vector<std::string> expert_budgets = {};  // "25%" of all experts, or a size; empty: no limit
  std::vector<std::string> modes = {"edgemoe"};
  std::vector<std::string> policies = {};    // empty: the engine's default
  std::vector<std::string> predictors = {};  // empty: the engine's default
  std::vector<std::string> storages = {"real"};
  std::string storage_scale = "1";  // a number, or "paper"
  std::string prompt =
      "Once upon a time there was a small cat who lived in a house by the sea. One day";
  std::uint32_t tokens = 64;
  std::uint32_t warmup_tokens = 0;  // written before, in answer to another prompt
  double seconds_max = 30;          // of one run's writing
  std::uint32_t runs = 3;
  // What every configuration has: one request at a time, and what flags say of threads, context,
  // chunk, I/O and kernels.
  EngineOptions engine = OneRequestAtATime();

  static EngineOptions OneRequestAtATime();
};

struct DecodeCommand {
  RunSettings run;
};
struct BaselinesCommand {
  RunSettings run;
};
struct PrefillCommand {
  RunSettings run;
  std::vector<std::uint32_t> chunks = {16, 64, 256};
  std::uint32_t prompt_tokens = 256;
};
struct SpeedCommand {
  RunSettings run;  // its runs are the pairs of each configuration
};
struct IoCommand {
  std::string path;
  std::string io_backend = "auto";
};
struct ReplayCommand {
  std::string trace;
  std::vector<std::string> policies;
  std::vector<std::string> predictors;
  std::vector<std::string> budgets;  // sizes
};

struct QualityCommand {
  std::vector<std::string> models;
  std::string reference;  // empty: perplexity alone
  std::string text;       // a file
  std::uint32_t context_tokens = 512;
  std::uint32_t windows = 0;  // 0: all
  std::string memory;         // of one model, as in "600MiB"; empty: as much as it wants
  std::uint32_t threads = 0;
  std::string io_backend = "auto";
  std::string kernels = "auto";
};

using Command = std::variant<DecodeCommand, PrefillCommand, SpeedCommand, IoCommand,
                             BaselinesCommand, ReplayCommand, QualityCommand>;

struct Settings {
  std::string json;          // a file, or "-" for standard output in place of the table
  std::string command_line;  // as it was given
  Command command;
};

// Prints help, or what is wrong, itself; then gives the exit code alone.
std::variant<Settings, int> ParseCommandLine(int argc, char** argv);

// "25%" of `whole`, or a size. INVALID_ARGUMENT names the text and what is accepted.
Result<std::uint64_t> ParseShare(const std::string& text, std::uint64_t whole);

}  // namespace edgemoe::bench
