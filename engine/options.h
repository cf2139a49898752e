// SPDX-License-Identifier: Apache-2.0
//
// What an engine is opened with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/model/sampler.h"

namespace edgemoe {

// engine/option_table.h says of each what it may be.
struct EngineOptions {
  std::string model_path;  // a GGUF file; the first part of a split one
  // What requests call it; empty: the file's name without ".gguf" and part number.
  std::string model_name;
  // Dense weights, KV, workspace and experts; 0: 3/4 of usable memory, at most what the whole model
  // needs.
  std::uint64_t memory_budget_bytes = 0;
  std::uint64_t expert_budget_bytes = 0;  // 0: what the memory budget leaves; else at most that
  // Longest sequence, prompt and answer; at most the model's own context.
  std::uint32_t context_tokens = 4096;
  std::uint32_t sessions_max = 4;  // requests that run at once
  std::uint32_t queue_max = 64;    // requests that wait
  // Most prompt tokens of a step; 0: by what is not in memory, 64 to 512.
  std::uint32_t prefill_chunk_tokens = 0;
  std::uint32_t threads = 0;  // computing threads; 0: one for each core allowed, at most 64
  std::string io_backend = "auto";
  std::uint32_t io_depth = 0;  // reads in flight; 0: as the storage likes it
  std::string kernels = "auto";
  std::string verify = "sample";            // which reads of experts are compared
  std::string eviction_policy = "lfru";     // which resident expert gives way
  std::string predictor = "router";         // where guesses of the next layer's experts come from
  std::uint32_t stall_timeout_ms = 60'000;  // a stream whose reader takes nothing so long is ended
  // Seconds without a request after which the experts' memory shrinks to its least, until the next
  // request; 0: never.
  std::uint32_t idle_shrink_after_s = 0;
  // What a conversation begins with that has no system message of its own; empty: nothing.
  std::string system_prompt;
  // A chat template instead of the file's own; empty: that one.
  std::string template_file;
  // What requests get that do not say it; empty: what the file recommends, else what
  // SamplingParameters says.
  std::optional<double> temperature;
  std::optional<double> top_k;
  std::optional<double> top_p;
  std::optional<double> min_p;
  std::optional<double> repetition_penalty;
  std::optional<double> presence_penalty;
  std::optional<double> frequency_penalty;
  std::optional<double> penalty_last_n;
  // Where the next run finds which experts were worth keeping and what the predictor has learnt;
  // empty: nowhere.
  std::string state_directory;
  LogSink log;
  // Called on the engine's thread when Engine::availability has changed. Short; must not call the
  // engine but for that. May be empty.
  std::function<void()> on_availability;
  // What time it is, for idle work, limits of time and the modelled storage; outlives the engine.
  // Null: the system's steady clock. Tests have one of their own.
  const Clock* clock = nullptr;

  // Faults for tests, empty in production; engine/io/fault_schedule.h has the grammar.
  std::string io_faults;

  // For measurements; production leaves them alone.
  //
  // How experts come into memory: "edgemoe"; or as the baselines do: "resident" (all read at load,
  // needs room for all), "on-demand" (each that the router names, each time), "layer-stream" (whole
  // layers in order into two buffers, whatever the router names), "mmap" (the page cache).
  std::string mode = "edgemoe";
  // Slower storage than there is; see engine/serving/modes.h. Its bandwidth is multiplied by the
  // scale.
  std::string storage_profile = "real";
  double storage_scale = 1;
};

}  // namespace edgemoe
