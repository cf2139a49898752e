// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/split_model.h"

#include <cstddef>

#include "engine/base/check.h"

namespace edgemoe {

std::vector<std::string> SplitModelHeaders(const TinyModelOptions& options,
                                           std::uint32_t part_count) {
  const std::vector<TinyTensor> tensors = TinyModelTensors(options);
  std::vector<std::string> parts;
  for (std::uint32_t part = 0; part < part_count; ++part) {
    GgufWriter writer;
    if (part == 0) EDGEMOE_CHECK(SetTinyModelMetadata(options, &writer).ok(), "the keys are good");
    EDGEMOE_CHECK(writer.Set("split.no", part).ok(), "the key is good");
    EDGEMOE_CHECK(writer.Set("split.count", part_count).ok(), "the key is good");
    for (std::size_t i = part; i < tensors.size(); i += part_count)
      EDGEMOE_CHECK(writer.AddTensor(tensors[i].name, tensors[i].type, tensors[i].dims).ok(),
                    "the tensor is good");
    const GgufHeader header = writer.Build();
    parts.push_back(header.bytes);
    parts.back().resize(header.file_bytes);
  }
  return parts;
}

}  // namespace edgemoe
