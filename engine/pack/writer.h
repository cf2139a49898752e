// SPDX-License-Identifier: Apache-2.0
//
// Makes an expert pack of a stock GGUF file: a copy of its weights, bit for bit, or with each
// tensor in the type that a recipe names. Holds a few MiB of them, whatever the model's size.
//
// The same source and recipe give the same bytes, on any number of threads. A job that was
// cancelled, killed or ran out of room leaves OUTPUT.partial and a journal; the next one with the
// same source and output goes on from there. Nothing stands under the output's own name before it
// is whole and on the disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "engine/base/result.h"
#include "engine/pack/output.h"
#include "engine/pack/recipe.h"

namespace edgemoe {

// What was written between two entries of the journal: as much is written again after a kill.
constexpr std::uint64_t kPackSyncBytes = std::uint64_t{256} << 20;

struct PackJob {
  std::string source_path;  // a GGUF file; the first part of a split one
  std::string output_path;
  bool overwrite = false;
  PackRecipe recipe{};      // the default is a copy
  std::size_t threads = 1;  // that requantise, the caller's included
  const std::atomic<bool>* cancelled = nullptr;
  // Bytes of weights as the pack has them, those of an earlier job included; called often, on the
  // calling thread.
  std::function<void(std::uint64_t bytes_done, std::uint64_t bytes_total)> progress;
  // Called with the path of the unfinished file when all of it is on the disk; an error leaves it
  // unfinished, for the next job.
  std::function<Status(const std::string& path)> before_publish{};
  std::uint64_t sync_bytes = kPackSyncBytes;
  PackDisk disk = PackDisk::Real();
};

struct PackResult {
  std::uint64_t source_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t weight_bytes = 0;
  std::uint64_t resumed_bytes = 0;  // of weights, written by an earlier job
  std::uint32_t layer_count = 0;
  std::uint32_t experts_per_layer = 0;
  std::string source_digest;
};

// Errors as PackSource::Open, PackOutput::Open and ::Reserve; CANCELLED; FAILED_PRECONDITION when
// the source changed meanwhile; DATA_LOSS and others for a failing disk. Any thread.
Result<PackResult> RunPackJob(const PackJob& job);

}  // namespace edgemoe
