// SPDX-License-Identifier: Apache-2.0
//
// What an engine is opened with.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/log.h"

namespace edgemoe {

struct EngineOptions {
  std::string model_path;  // a GGUF file; the first part of a split one
  std::string
      model_name;  // what requests call it; empty: the file's name without ".gguf" and part number
  std::uint64_t memory_budget_bytes = 0;  // dense + KV + workspace + experts; 0: 3/4 of usable
                                          // memory, at most what the whole model needs
  std::uint64_t expert_budget_bytes = 0;  // 0: what the memory budget leaves; else at most that
  std::uint32_t context_tokens =
      4096;  // longest sequence, prompt and answer; at most the model's own context
  std::uint32_t sessions_max = 4;           // requests that run at once, [1, 64]
  std::uint32_t queue_max = 64;             // requests that wait, [0, 4096]
  std::uint32_t prefill_chunk_tokens = 64;  // prompt tokens a step, [1, 512]
  std::uint32_t threads = 0;        // computing threads; 0: one for each core allowed, at most 64
  std::string io_backend = "auto";  // "auto", "io_uring", "pread"
  std::uint32_t io_depth = 0;       // reads in flight, [1, 1024]; 0: as the storage likes it
  std::string kernels = "auto";     // "auto", "ref", "avx2", "avx512", "neon"
  // Which resident expert gives way: "lfru", "lru", "lfu", "edgemoe".
  std::string eviction_policy = "lfru";
  // Where guesses of the next layer's experts come from: "router", "path", "none".
  std::string predictor = "router";
  std::uint32_t stall_timeout_ms =
      60000;  // a stream whose reader takes nothing for so long is ended
  // Seconds without a request after which the experts' memory shrinks to its least, until the next
  // request; 0: never.
  std::uint32_t idle_shrink_after_s = 0;
  // Where the next run finds which experts were worth keeping and what the predictor has learnt;
  // empty: nowhere.
  std::string state_directory;
  LogSink log;

  // Faults for tests, empty in production; several are separated by ';':
  // "eio:after=N" fails one read after N good ones, "eio:after=N,count=M" M of them;
  // "eio:layer=L,expert=E" each read of that expert; "short:every=N" cuts every Nth read on
  // average in two, which succeeds; "slow:ms=N" adds N milliseconds to each. The whole grammar:
  // engine/io/fault_schedule.h.
  std::string io_faults;

  // For measurements; production leaves them alone.
  //
  // How experts come into memory: "edgemoe"; or as the baselines do: "resident" (all read at load,
  // needs room for all), "on-demand" (each that the router names, each time), "layer-stream" (whole
  // layers in order into two buffers, whatever the router names), "mmap" (the page cache).
  std::string mode = "edgemoe";
  // Slower storage than there is: "real" (as it is), "nvme", "pi5-nvme", "sata", "sd"; see
  // engine/serving/modes.h. Its bandwidth is multiplied by the scale, in (0, 1000].
  std::string storage_profile = "real";
  double storage_scale = 1;
};

}  // namespace edgemoe
