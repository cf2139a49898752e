// SPDX-License-Identifier: Apache-2.0
#include "engine/model/unused_tensors.h"

#include <algorithm>

#include "engine/model/arch/other_inputs.h"
#include "engine/model/weights.h"

namespace edgemoe {

bool IsUnused(std::string_view name, const ModelConfig& config) {
  return IsOfPredictionLayer(name, config) || !OtherInputOfTensor(name).empty();
}

std::vector<std::string> UnusedInputsOf(const GgufSet& files) {
  std::vector<std::string> inputs;
  for (const std::string_view input : {kImages, kAudio})
    if (std::ranges::any_of(files.tensors(), [input](const GgufTensor& tensor) {
          return OtherInputOfTensor(tensor.name) == input;
        }))
      inputs.emplace_back(input);
  return inputs;
}

}  // namespace edgemoe
