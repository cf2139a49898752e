// SPDX-License-Identifier: Apache-2.0
//
// What a model file says of itself.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"

namespace edgemoe {

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
  bool has_chat_template = false;
};

// Reads the header of a model. NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT, UNIMPLEMENTED name
// file, key or tensor.
Result<ModelDescription> DescribeModel(const std::string& path);

}  // namespace edgemoe
