// SPDX-License-Identifier: Apache-2.0
//
// The architectures that can be run: for each, how a file's metadata becomes a ModelConfig, and
// which tensors a layer has and what the file calls them. No arithmetic.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/model/arch/metadata_reader.h"
#include "engine/model/model_config.h"
#include "engine/model/tensor_role.h"

namespace edgemoe {

// A tensor of a layer: "attn_q.weight" in "blk.3.attn_q.weight". Experts' matrices have the name
// of the stack that holds all experts of the layer.
struct TensorRule {
  TensorRole role;
  std::string_view name;
  bool optional = false;         // a file may lack it: the model then has none
  std::string_view unless = {};  // a file that has a tensor of this name in the layer lacks it
};

struct Architecture {
  std::string_view name;  // general.architecture, and the prefix of its keys
  // Fills what is the architecture's own; name, architecture, vocabulary and the numbering of
  // expert layers are done by ReadModelConfig. INVALID_ARGUMENT, NOT_FOUND and UNIMPLEMENTED name
  // the key, the value found and what is accepted.
  Status (*read)(MetadataReader& metadata, ModelConfig& config);
  // Every tensor that a layer of this kind has. The order is the one in memory.
  std::vector<TensorRule> (*layer_tensors)(const LayerConfig& layer);
  std::string_view output_norm = "output_norm.weight";
};

std::span<const Architecture> Architectures();
// Null for one that cannot be run.
const Architecture* FindArchitecture(std::string_view name);

// The config that a file's metadata describes. A key of the architecture that nobody has read is
// UNIMPLEMENTED, with its name: nothing that would change the result is passed over.
Result<ModelConfig> ReadModelConfig(const GgufFile& metadata);

// The key that says how many tokens there are: tokenizer.ggml.tokens or, of a file without a
// vocabulary, one of the architecture.
std::string VocabularySizeKey(const GgufFile& metadata, std::string_view architecture);

// Embedding, output norm, output (which may be missing: it is the embedding then) and, for models
// whose layers take them, factors of RoPE's frequencies; those of RopeScaling::kLongRope may not be
// missing.
std::vector<TensorRule> WholeModelTensors(const Architecture& architecture,
                                          const ModelConfig& config);

}  // namespace edgemoe
