// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "engine/gguf/gguf_reader.h"
#include "engine/gguf/requantize.h"

namespace edgemoe {

// What edgemoe-quantize makes of the model's file `source`; empty after a failure of the test.
inline std::vector<std::byte> Requantized(std::span<const std::byte> source, TensorType target) {
  const Result<GgufFile> file = ParseGguf(source, source.size());
  EXPECT_TRUE(file) << file.error().ToString();
  if (!file) return {};
  const Result<RequantizePlan> plan = PlanRequantize(*file, target);
  EXPECT_TRUE(plan) << plan.error().ToString();
  if (!plan) return {};
  std::vector<std::byte> made(plan->header.file_bytes);
  std::memcpy(made.data(), plan->header.bytes.data(), plan->header.bytes.size());
  for (std::size_t i = 0; i < plan->sources.size(); ++i) {
    const GgufTensor& from = plan->sources[i];
    const GgufTensor& to = plan->header.tensors[i];
    std::vector<float> scratch(from.columns());
    RequantizeRows(from.type, to.type, from.columns(), from.rows(), source.data() + from.offset,
                   scratch.data(), made.data() + to.offset);
  }
  return made;
}

}  // namespace edgemoe
