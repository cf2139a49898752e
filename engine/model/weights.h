// SPDX-License-Identifier: Apache-2.0
//
// Which tensors the model has and where the dense ones lie in memory. All are found by role.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/gguf/gguf_set.h"
#include "engine/model/model_config.h"
#include "engine/model/tensor_role.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

// A dense matrix [rows, columns] in memory, packed in `type`.
struct MatrixView {
  TensorType type = TensorType::kF32;
  const std::byte* bytes = nullptr;
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  std::uint64_t row_bytes = 0;
};

// The dense tensors of a layer; shapes are those of ShapeOf. Those that the layer does not have
// are null.
class LayerWeights {
 public:
  const MatrixView& matrix(TensorRole role) const { return views_[Index(role)]; }
  // Norms, biases and sinks. Null: the layer has none.
  const float* floats(TensorRole role) const {
    return reinterpret_cast<const float*>(views_[Index(role)].bytes);
  }
  void Set(TensorRole role, const MatrixView& view) { views_[Index(role)] = view; }

 private:
  static std::size_t Index(TensorRole role) { return static_cast<std::size_t>(role); }

  std::array<MatrixView, kTensorRoleCount> views_{};
};

// What RoPE's frequencies are divided by: each [rope.dimension_count / 2]; null where the file has
// none.
struct RopeFactors {
  const float* of_all = nullptr;
  const float* of_short = nullptr;  // of RopeScaling::kLongRope, in contexts up to the original one
  const float* of_long = nullptr;   // in longer ones
};

// The dense weights, copied from storage into one anonymous buffer; norms, biases and sinks are
// widened to float.
struct Weights {
  MatrixView embedding;  // [vocabulary, width]
  std::vector<LayerWeights> layers;
  const float* output_norm = nullptr;  // [width]
  RopeFactors rope_factors;
  MatrixView output;  // [vocabulary, width]; the embedding itself when tied
  AlignedBuffer memory;
};

// The plan for loading: found by the architecture's rules and checked against the config's shapes
// before any byte is read.
struct WeightsLayout {
  struct DenseTensor {
    TensorRole role = TensorRole::kEmbedding;
    LayerIndex layer{};  // 0 for those of the whole model
    std::uint32_t file_index = 0;
    std::uint64_t file_offset = 0;
    std::uint64_t file_bytes = 0;
    TensorType type = TensorType::kF32;  // in the file
    std::uint64_t memory_offset = 0;     // in Weights::memory
    std::uint64_t memory_bytes = 0;
    std::uint64_t rows = 0;
    std::uint64_t columns = 0;
    std::optional<std::uint64_t> checksum{};  // of the bytes in the file; packs have it
  };
  std::vector<DenseTensor> dense;
  std::uint64_t dense_bytes = 0;  // of Weights::memory
  ExpertLayout experts;
  bool tied_output = false;
};

// Whether a tensor of this name is of a block behind the model's layers
// (ModelConfig::prediction_layer_count): it is not loaded.
bool IsOfPredictionLayer(std::string_view name, const ModelConfig& config);

// Stock files and packs. FAILED_PRECONDITION / INVALID_ARGUMENT name the missing tensor, or its
// type or shape and the one expected; UNIMPLEMENTED a pack of an unknown version, or a tensor that
// the architecture does not have.
Result<WeightsLayout> LayOutWeights(const ModelConfig& config, const GgufSet& files);

// Reads `bytes` at `offset` of file `file_index` into `destination`.
using DenseRead = std::function<Status(std::uint32_t file_index, std::uint64_t offset,
                                       std::byte* destination, std::uint64_t bytes)>;
// Called with bytes loaded so far.
using LoadProgress = std::function<void(std::uint64_t bytes_loaded)>;

// DATA_LOSS names a dense tensor's place when its bytes are not those of its checksum;
// INVALID_ARGUMENT factors of RoPE that are not finite or not above 0.
Result<Weights> LoadWeights(const ModelConfig& config, const WeightsLayout& layout,
                            const DenseRead& read, const LoadProgress& progress);

// Lets `weights` take a dense matrix from elsewhere: `bytes`, packed rows of its shape in `type`. A
// tied output goes with the embedding. REQUIRES: dense[index] is kept in its own type, no vector.
void UseDenseMatrix(const WeightsLayout& layout, std::size_t index, TensorType type,
                    const std::byte* bytes, Weights* weights);

}  // namespace edgemoe
