// SPDX-License-Identifier: Apache-2.0
//
// Small models as files of which one thing is changed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/status.h"
#include "tests/support/models/random_model.h"

namespace edgemoe {

// The names of all architectures, for parameters of tests.
std::vector<std::string> ArchitectureNames();
// As tests are called: letters, digits and '_'.
std::string TestNameOf(std::string_view architecture);

struct ModelParts {
  explicit ModelParts(const RandomModelOptions& model);

  // Appends the key where there is none.
  void SetKey(std::string_view key, GgufValue value);
  void RemoveKey(std::string_view key);
  const GgufValue* FindKey(std::string_view key) const;

  std::vector<GgufEntry> keys;
  std::vector<RandomTensor> tensors;
};

// The whole file: all weights are 0.
std::vector<std::byte> FileOf(const ModelParts& parts);
// The same with the weights of `original` where a tensor has the name and size of one there.
std::vector<std::byte> FileOf(const ModelParts& parts, const std::vector<std::byte>& original);

// All that is done with a file before its weights are read: the first error.
Status Understand(const std::vector<std::byte>& file);
// Loads the model and runs `token_count` tokens, or as many as the context has: all their logits,
// which are numbers.
Result<std::vector<float>> Answer(const std::vector<std::byte>& file, std::size_t token_count);

}  // namespace edgemoe
