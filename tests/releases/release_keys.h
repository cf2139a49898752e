// SPDX-License-Identifier: Apache-2.0
//
// What the files of a release are told by, to who writes and to who reads them.
#pragma once

#include <string>

#include "engine/io/probe/device_probe.h"
#include "engine/options.h"
#include "engine/speed/compute_probe.h"

namespace edgemoe {

inline StorageKey ReleaseStorage() {
  return {.device = "259:1", .file_system = "ext4", .backend = "auto"};
}

inline ComputeKey ReleaseProcessor() {
  return {.processor = "A processor", .kernels = "avx2", .threads = 2};
}

inline EngineOptions ReleaseOptions(const std::string& model, const std::string& state) {
  EngineOptions options;
  options.model_path = model;
  options.state_directory = state;
  options.context_tokens = 128;
  options.threads = 1;
  options.io_backend = "pread";
  options.io_depth = 4;  // nothing is measured
  options.kernels = "ref";
  options.predictor = "path";
  return options;
}

}  // namespace edgemoe
