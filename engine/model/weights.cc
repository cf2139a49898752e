// SPDX-License-Identifier: Apache-2.0
#include "engine/model/weights.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_set>

#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/gguf/pack_keys.h"
#include "engine/model/expert_tensors.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

constexpr std::size_t kTensorAlignment = 64;

// The dense tensors of a layer, in the order in which WeightsLayout::dense holds them.
enum DenseSlot : std::size_t {
  kAttentionNorm,
  kQ,
  kK,
  kV,
  kQNorm,
  kKNorm,
  kAttentionOutput,
  kFfnNorm,
  kRouter,
  kDenseSlotCount,
};
// Before the layers: the embedding and the last norm; after them the output, unless it is tied.
constexpr std::size_t kEmbedding = 0;
constexpr std::size_t kOutputNorm = 1;
constexpr std::size_t kFirstLayer = 2;

struct ExpectedTensor {
  std::string_view name;
  bool norm;
  std::uint64_t rows;
  std::uint64_t columns;
};

std::array<ExpectedTensor, kDenseSlotCount> ExpectedLayer(const ModelConfig& config) {
  const std::uint64_t q_size = std::uint64_t{config.head_count} * config.head_size;
  const std::uint64_t kv_size = std::uint64_t{config.kv_head_count} * config.head_size;
  return {{
      {"attn_norm", true, 1, config.width},
      {"attn_q", false, q_size, config.width},
      {"attn_k", false, kv_size, config.width},
      {"attn_v", false, kv_size, config.width},
      {"attn_q_norm", true, 1, config.head_size},
      {"attn_k_norm", true, 1, config.head_size},
      {"attn_output", false, config.width, q_size},
      {"ffn_norm", true, 1, config.width},
      {"ffn_gate_inp", false, config.expert_count, config.width},
  }};
}

std::string LayerTensorName(std::size_t layer, std::string_view name) {
  return "blk." + std::to_string(layer) + "." + std::string(name) + ".weight";
}

std::string Shape(std::uint64_t columns, std::uint64_t rows, std::uint64_t matrices) {
  std::string text = "[" + std::to_string(columns);
  if (rows > 1 || matrices > 1) text += ", " + std::to_string(rows);
  if (matrices > 1) text += ", " + std::to_string(matrices);
  return text + "]";
}

// Finds tensors by name, checks them, and remembers which were asked for.
class Finder {
 public:
  explicit Finder(const GgufSet& files) : files_(files) {}

  Result<const GgufTensor*> Find(const std::string& name, std::uint64_t columns, std::uint64_t rows,
                                 std::uint64_t matrices) {
    const GgufTensor* tensor = files_.FindTensor(name);
    if (tensor == nullptr) {
      return Failure(FailedPreconditionError("tensor " + name + ": missing, expected with shape " +
                                             Shape(columns, rows, matrices)));
    }
    if (tensor->dims[0] != columns || tensor->dims[1] != rows || tensor->dims[2] != matrices ||
        tensor->dims[3] != 1) {
      return Failure(InvalidArgumentError("tensor " + name + ": shape is " + tensor->ShapeText() +
                                          ", expected " + Shape(columns, rows, matrices)));
    }
    const TensorTypeTraits& traits = TraitsOf(tensor->type);
    if (!traits.computable) {
      return Failure(UnimplementedError("tensor " + name + ": type is " + std::string(traits.name) +
                                        ", accepted are " + ComputableTypes()));
    }
    known_.insert(name);
    return tensor;
  }

  // A tensor that nobody asked for would change the result if the model that the file holds has it.
  Status RefuseOthers() const {
    for (const GgufTensor& tensor : files_.tensors()) {
      if (!known_.contains(tensor.name)) {
        return UnimplementedError("tensor " + tensor.name +
                                  ": not part of a qwen3moe model, and not supported");
      }
    }
    return OkStatus();
  }

 private:
  static std::string ComputableTypes() {
    std::string names;
    for (std::uint32_t number = 0; number < kTensorTypeCount; ++number) {
      const TensorTypeTraits* traits = FindTensorType(number);
      if (traits == nullptr || !traits->computable) continue;
      names.append(names.empty() ? "" : ", ").append(traits->name);
    }
    return names;
  }

  const GgufSet& files_;
  std::unordered_set<std::string> known_;
};

Status AddDense(Finder& finder, const std::string& name, const ExpectedTensor& expected,
                WeightsLayout* layout) {
  EDGEMOE_ASSIGN_OR_RETURN(const GgufTensor* tensor,
                           finder.Find(name, expected.columns, expected.rows, 1));
  WeightsLayout::DenseTensor dense;
  dense.file_index = tensor->file_index;
  dense.file_offset = tensor->offset;
  dense.file_bytes = tensor->bytes;
  dense.type = tensor->type;
  dense.widen_to_float = expected.norm;
  dense.memory_offset = layout->dense_bytes;
  dense.memory_bytes = expected.norm ? expected.columns * sizeof(float) : tensor->bytes;
  dense.rows = expected.rows;
  dense.columns = expected.columns;
  layout->dense_bytes += AlignUp(dense.memory_bytes, kTensorAlignment);
  layout->dense.push_back(dense);
  return OkStatus();
}

// A layer's matrices of one role, stacked (expert e is the slice at e * (bytes / expert_count)) or
// split.
Status AddExperts(Finder& finder, const ModelConfig& config, std::size_t layer, bool split,
                  ExpertRole role, ExpertLayout* experts) {
  const auto role_index = static_cast<std::size_t>(role);
  const bool down = role == ExpertRole::kDown;
  const std::uint64_t columns = down ? config.expert_width : config.width;
  const std::uint64_t rows = down ? config.width : config.expert_width;
  const std::size_t tensor_count = split ? config.expert_count : 1;
  const std::size_t experts_each = config.expert_count / tensor_count;
  for (std::size_t i = 0; i < tensor_count; ++i) {
    const std::string name =
        split ? SplitExpertName(layer, i, role) : StackedExpertName(layer, role);
    EDGEMOE_ASSIGN_OR_RETURN(const GgufTensor* tensor,
                             finder.Find(name, columns, rows, experts_each));
    const std::uint64_t slice_bytes = tensor->bytes / experts_each;
    for (std::size_t slice = 0; slice < experts_each; ++slice) {
      experts->extents[layer * config.expert_count + i + slice][role_index] = {
          tensor->file_index, tensor->offset + slice * slice_bytes, slice_bytes, tensor->type};
    }
  }
  return OkStatus();
}

// A pack's checksums, next to what they are of.
Status AddChecksums(const GgufSet& files, WeightsLayout* layout) {
  const GgufFile& pack = files.metadata();
  EDGEMOE_RETURN_IF_ERROR(CheckPackVersion(pack));
  if (files.file_count() > 1)
    return InvalidArgumentError("a pack in " + std::to_string(files.file_count()) +
                                " parts; a pack is one file");
  EDGEMOE_ASSIGN_OR_RETURN(
      layout->experts.checksums,
      ReadPackChecksums(pack, kPackExpertChecksumsKey, layout->experts.extents.size()));
  EDGEMOE_ASSIGN_OR_RETURN(const std::vector<std::uint64_t> dense,
                           ReadPackChecksums(pack, kPackDenseChecksumsKey, layout->dense.size()));
  std::vector<std::size_t> by_offset(dense.size());
  std::iota(by_offset.begin(), by_offset.end(), std::size_t{0});
  std::ranges::sort(by_offset, {}, [&](std::size_t i) { return layout->dense[i].file_offset; });
  for (std::size_t i = 0; i < dense.size(); ++i) layout->dense[by_offset[i]].checksum = dense[i];
  return OkStatus();
}

Status PlanInto(const ModelConfig& config, const GgufSet& files, WeightsLayout* layout) {
  Finder finder(files);
  const ExpectedTensor vocabulary = {"", false, config.vocabulary_size, config.width};
  EDGEMOE_RETURN_IF_ERROR(AddDense(finder, "token_embd.weight", vocabulary, layout));
  EDGEMOE_RETURN_IF_ERROR(
      AddDense(finder, "output_norm.weight", {"", true, 1, config.width}, layout));

  layout->experts.layer_count = config.layer_count;
  layout->experts.experts_per_layer = config.expert_count;
  layout->experts.extents.resize(std::size_t{config.layer_count} * config.expert_count);
  const auto expected_layer = ExpectedLayer(config);
  for (std::size_t layer = 0; layer < config.layer_count; ++layer) {
    for (const ExpectedTensor& expected : expected_layer) {
      EDGEMOE_RETURN_IF_ERROR(
          AddDense(finder, LayerTensorName(layer, expected.name), expected, layout));
    }
    const bool split = ExpertsAreSplit(files, layer);
    for (const ExpertRole role : {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown}) {
      EDGEMOE_RETURN_IF_ERROR(AddExperts(finder, config, layer, split, role, &layout->experts));
    }
  }

  layout->tied_output = files.FindTensor("output.weight") == nullptr;
  if (!layout->tied_output) {
    EDGEMOE_RETURN_IF_ERROR(AddDense(finder, "output.weight", vocabulary, layout));
  }
  EDGEMOE_RETURN_IF_ERROR(finder.RefuseOthers());
  return IsPack(files.metadata()) ? AddChecksums(files, layout) : OkStatus();
}

Status CheckDense(const WeightsLayout::DenseTensor& tensor, const std::byte* packed) {
  if (!tensor.checksum) return OkStatus();
  const std::uint64_t found = Checksum64Of({packed, static_cast<std::size_t>(tensor.file_bytes)});
  if (found == *tensor.checksum) return OkStatus();
  return DataLossError("dense tensor of " + std::to_string(tensor.file_bytes) +
                       " bytes at offset " + std::to_string(tensor.file_offset) + ": checksum is " +
                       ChecksumText(found) + ", expected " + ChecksumText(*tensor.checksum) +
                       ": the pack is damaged");
}

// Null: the tensor is a norm.
MatrixView* FindMatrix(std::size_t index, Weights* weights) {
  if (index == kEmbedding) return &weights->embedding;
  const std::size_t layers_end = kFirstLayer + weights->layers.size() * kDenseSlotCount;
  if (index >= layers_end) return &weights->output;
  if (index < kFirstLayer) return nullptr;
  LayerWeights& layer = weights->layers[(index - kFirstLayer) / kDenseSlotCount];
  switch ((index - kFirstLayer) % kDenseSlotCount) {
    case kQ: return &layer.q;
    case kK: return &layer.k;
    case kV: return &layer.v;
    case kAttentionOutput: return &layer.attention_output;
    case kRouter: return &layer.router;
    default: return nullptr;
  }
}

// A norm in another type than float: read into scratch, then widened into place.
Status ReadWidened(const WeightsLayout::DenseTensor& tensor, const DenseRead& read,
                   std::byte* destination) {
  EDGEMOE_ASSIGN_OR_RETURN(AlignedBuffer packed, AlignedBuffer::Allocate(tensor.file_bytes));
  EDGEMOE_RETURN_IF_ERROR(
      read(tensor.file_index, tensor.file_offset, packed.data(), tensor.file_bytes));
  EDGEMOE_RETURN_IF_ERROR(CheckDense(tensor, packed.data()));
  DequantizeRow(tensor.type, packed.data(), tensor.columns, reinterpret_cast<float*>(destination));
  return OkStatus();
}

Status ReadPlain(const WeightsLayout::DenseTensor& tensor, const DenseRead& read,
                 std::byte* destination) {
  EDGEMOE_RETURN_IF_ERROR(
      read(tensor.file_index, tensor.file_offset, destination, tensor.file_bytes));
  return CheckDense(tensor, destination);
}

MatrixView MatrixOf(const WeightsLayout::DenseTensor& tensor, const std::byte* memory) {
  return {tensor.type, memory + tensor.memory_offset, static_cast<std::uint32_t>(tensor.rows),
          static_cast<std::uint32_t>(tensor.columns), tensor.file_bytes / tensor.rows};
}

const float* NormOf(const WeightsLayout::DenseTensor& tensor, const std::byte* memory) {
  return reinterpret_cast<const float*>(memory + tensor.memory_offset);
}

LayerWeights LayerOf(std::span<const WeightsLayout::DenseTensor> dense, const std::byte* memory) {
  return {NormOf(dense[kAttentionNorm], memory),
          MatrixOf(dense[kQ], memory),
          MatrixOf(dense[kK], memory),
          MatrixOf(dense[kV], memory),
          NormOf(dense[kQNorm], memory),
          NormOf(dense[kKNorm], memory),
          MatrixOf(dense[kAttentionOutput], memory),
          NormOf(dense[kFfnNorm], memory),
          MatrixOf(dense[kRouter], memory)};
}

}  // namespace

Result<WeightsLayout> PlanWeights(const ModelConfig& config, const GgufSet& files) {
  WeightsLayout layout;
  EDGEMOE_FAIL_IF_ERROR(PlanInto(config, files, &layout));
  return layout;
}

Result<Weights> LoadWeights(const ModelConfig& config, const WeightsLayout& layout,
                            const DenseRead& read, const LoadProgress& progress) {
  const std::size_t layers_end = kFirstLayer + config.layer_count * kDenseSlotCount;
  EDGEMOE_CHECK(layout.dense.size() == layers_end + (layout.tied_output ? 0 : 1),
                "the layout is of another model");
  Weights weights;
  EDGEMOE_ASSIGN_OR_FAIL(weights.memory, AlignedBuffer::Allocate(layout.dense_bytes));
  std::byte* memory = weights.memory.data();
  std::uint64_t loaded = 0;
  for (const WeightsLayout::DenseTensor& tensor : layout.dense) {
    std::byte* destination = memory + tensor.memory_offset;
    EDGEMOE_FAIL_IF_ERROR(tensor.widen_to_float && tensor.type != TensorType::kF32
                              ? ReadWidened(tensor, read, destination)
                              : ReadPlain(tensor, read, destination));
    loaded += tensor.file_bytes;
    if (progress) progress(loaded);
  }

  const std::span<const WeightsLayout::DenseTensor> dense = layout.dense;
  weights.embedding = MatrixOf(dense[kEmbedding], memory);
  weights.output_norm = NormOf(dense[kOutputNorm], memory);
  weights.output = layout.tied_output ? weights.embedding : MatrixOf(dense[layers_end], memory);
  weights.layers.reserve(config.layer_count);
  for (std::size_t layer = 0; layer < config.layer_count; ++layer) {
    weights.layers.push_back(
        LayerOf(dense.subspan(kFirstLayer + layer * kDenseSlotCount, kDenseSlotCount), memory));
  }
  return weights;
}

void UseDenseMatrix(const WeightsLayout& layout, std::size_t index, TensorType type,
                    const std::byte* bytes, Weights* weights) {
  EDGEMOE_CHECK(index < layout.dense.size(), "no such dense tensor");
  MatrixView* const matrix = FindMatrix(index, weights);
  EDGEMOE_CHECK(matrix != nullptr, "a norm is no matrix");
  matrix->type = type;
  matrix->bytes = bytes;
  const std::optional<std::uint64_t> row_bytes = RowBytes(type, matrix->columns);
  EDGEMOE_CHECK(row_bytes, "rows of this type are whole blocks");
  matrix->row_bytes = *row_bytes;
  if (layout.tied_output && index == kEmbedding) weights->output = *matrix;
}

}  // namespace edgemoe
