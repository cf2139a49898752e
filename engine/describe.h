// SPDX-License-Identifier: Apache-2.0
//
// What a model file says of itself, and what requests to its model get that do not say it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/model/sampler.h"
#include "engine/options.h"
#include "engine/scheduler/request.h"

namespace edgemoe {

enum class SettingSource : std::uint8_t { kBuiltIn, kFile, kConfiguration };

struct ModelSetting {
  std::string option;  // of EngineOptions: "temperature"; or "pooling", of embeddings
  std::string json;    // its value
  SettingSource source = SettingSource::kBuiltIn;
};

struct ModelDescription {
  std::string name;
  std::string path;
  std::string architecture;
  std::string quantisation;  // the type that most expert bytes have, as in "Q4_K"
  std::uint64_t file_bytes = 0;
  std::uint64_t parameter_count = 0;
  std::uint32_t layer_count = 0;
  std::uint32_t expert_count = 0;
  std::uint32_t expert_used_count = 0;
  std::uint32_t vocabulary_size = 0;
  std::uint32_t context_length = 0;  // the model's own
  std::uint32_t context_tokens = 0;  // allowed here; 0 when not loaded
  bool has_chat_template = false;    // the file, or the options
  SamplingParameters sampling;       // of requests that do not say theirs; its seed means nothing
  std::vector<ModelSetting> settings;
  std::vector<std::string>
      unused_inputs;                 // "images", "audio": the file has them, we read text alone
  Pooling pooling = Pooling::kMean;  // of requests to embed that do not say theirs
};

// Reads the header of options.model_path: the model as it would be served with these options. The
// file's recommendations ("general.sampling.") count where the options are silent, and only then
// have to be good. NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT, UNIMPLEMENTED name file, key or
// tensor.
Result<ModelDescription> DescribeModel(const EngineOptions& options);
// With the default options.
Result<ModelDescription> DescribeModel(const std::string& path);

}  // namespace edgemoe
