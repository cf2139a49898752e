// SPDX-License-Identifier: Apache-2.0
#include "engine/model/weights.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_set>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/gguf/pack_keys.h"
#include "engine/model/arch/architecture.h"
#include "engine/model/expert_tensors.h"
#include "engine/model/unused_tensors.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

constexpr std::size_t kTensorAlignment = 64;

std::string LayerTensorName(std::size_t layer, std::string_view name) {
  return "blk." + std::to_string(layer) + "." + std::string(name);
}

std::string ShapeText(const TensorShape& shape) {
  std::string text = "[" + std::to_string(shape.columns);
  if (shape.rows > 1 || shape.matrices > 1) text += ", " + std::to_string(shape.rows);
  if (shape.matrices > 1) text += ", " + std::to_string(shape.matrices);
  return text + "]";
}

// Finds tensors by name, checks them, and remembers which were asked for.
class Finder {
 public:
  Finder(const ModelConfig& config, const GgufSet& files) : config_(config), files_(files) {}

  Result<const GgufTensor*> Find(const std::string& name, TensorRole role,
                                 const TensorShape& shape) {
    const GgufTensor* tensor = files_.FindTensor(name);
    if (tensor == nullptr) {
      return Failure(FailedPreconditionError("tensor " + name + ": missing, expected with shape " +
                                             ShapeText(shape)));
    }
    if (tensor->dims[0] != shape.columns || tensor->dims[1] != shape.rows ||
        tensor->dims[2] != shape.matrices || tensor->dims[3] != 1) {
      return Failure(InvalidArgumentError("tensor " + name + ": shape is " + tensor->ShapeText() +
                                          ", expected " + ShapeText(shape) + WhyOf(role)));
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
      if (!IsUnused(tensor.name, config_) && !known_.contains(tensor.name)) {
        return UnimplementedError("tensor " + tensor.name +
                                  ": not part of a model of architecture " + config_.architecture +
                                  ", and not supported");
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

  // Behind the shape that is expected: which key says the number of rows, of the vocabulary's.
  std::string WhyOf(TensorRole role) const {
    if (role != TensorRole::kEmbedding && role != TensorRole::kOutput) return "";
    return ", a row for each of the " + std::to_string(config_.vocabulary_size) +
           " tokens of the vocabulary (" +
           VocabularySizeKey(files_.metadata(), config_.architecture) + ")";
  }

  const ModelConfig& config_;
  const GgufSet& files_;
  std::unordered_set<std::string> known_;
};

Status AddDense(Finder& finder, const std::string& name, TensorRole role, LayerIndex layer,
                const TensorShape& shape, WeightsLayout* layout) {
  EDGEMOE_ASSIGN_OR_RETURN(const GgufTensor* tensor, finder.Find(name, role, shape));
  WeightsLayout::DenseTensor dense;
  dense.role = role;
  dense.layer = layer;
  dense.file_index = tensor->file_index;
  dense.file_offset = tensor->offset;
  dense.file_bytes = tensor->bytes;
  dense.type = tensor->type;
  dense.memory_offset = layout->dense_bytes;
  dense.memory_bytes =
      IsFloatVector(role) ? shape.rows * shape.columns * sizeof(float) : tensor->bytes;
  dense.rows = shape.rows * shape.matrices;
  dense.columns = shape.columns;
  layout->dense_bytes += AlignUp(dense.memory_bytes, kTensorAlignment);
  layout->dense.push_back(dense);
  return OkStatus();
}

Status AddExperts(Finder& finder, const ModelConfig& config, LayerIndex layer,
                  const ExpertMatrices& stack, ExpertLayout* experts) {
  const LayerConfig& layer_config = config.layers[layer.value];
  const std::size_t first =
      layer_config.experts->index.value * std::size_t{config.expert_count} + stack.first;
  const TensorRole first_role = TensorRoleOf(stack.roles.front());
  TensorShape shape = ShapeOf(first_role, config, layer_config);
  shape.rows *= stack.roles.size();
  shape.matrices = stack.count;
  EDGEMOE_ASSIGN_OR_RETURN(const GgufTensor* tensor, finder.Find(stack.name, first_role, shape));
  const std::uint64_t matrix_bytes = tensor->bytes / stack.count / stack.roles.size();
  std::uint64_t offset = tensor->offset;
  for (std::size_t expert = 0; expert < stack.count; ++expert) {
    for (const ExpertRole role : stack.roles) {
      experts->extents[first + expert][static_cast<std::size_t>(role)] = {
          tensor->file_index, offset, matrix_bytes, tensor->type};
      offset += matrix_bytes;
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

Status LayOutLayer(Finder& finder, const ModelConfig& config, const Architecture& architecture,
                   const GgufSet& files, LayerIndex layer, WeightsLayout* layout) {
  const LayerConfig& layer_config = config.layers[layer.value];
  for (const TensorRule& rule : architecture.layer_tensors(layer_config)) {
    if (IsOfExpert(rule.role)) continue;
    const auto has = [&](std::string_view name) {
      return files.FindTensor(LayerTensorName(layer.value, name)) != nullptr;
    };
    if (rule.optional && !has(rule.name)) continue;
    if (!rule.unless.empty() && has(rule.unless)) continue;
    EDGEMOE_RETURN_IF_ERROR(AddDense(finder, LayerTensorName(layer.value, rule.name), rule.role,
                                     layer, ShapeOf(rule.role, config, layer_config), layout));
  }
  if (!layer_config.experts) return OkStatus();
  // Layer by layer: a file that says more layers than it has takes no memory for them.
  layout->experts.extents.resize(std::size_t{layer_config.experts->index.value + 1} *
                                 config.expert_count);
  for (const ExpertMatrices& stack : ExpertMatricesOf(files, layer.value, config.expert_count))
    EDGEMOE_RETURN_IF_ERROR(AddExperts(finder, config, layer, stack, &layout->experts));
  return OkStatus();
}

Status LayOutInto(const ModelConfig& config, const GgufSet& files, WeightsLayout* layout) {
  const Architecture* const architecture = FindArchitecture(config.architecture);
  EDGEMOE_CHECK(architecture != nullptr, "a config is of a known architecture");
  Finder finder(config, files);
  for (const TensorRule& rule : WholeModelTensors(*architecture, config)) {
    if (rule.optional && files.FindTensor(rule.name) == nullptr) {
      if (rule.role == TensorRole::kOutput) layout->tied_output = true;
      continue;
    }
    EDGEMOE_RETURN_IF_ERROR(AddDense(finder, std::string(rule.name), rule.role, LayerIndex{},
                                     ShapeOf(rule.role, config, config.layers[0]), layout));
  }
  layout->experts.layer_count = config.expert_layer_count();
  layout->experts.experts_per_layer = config.expert_count;
  if (layout->experts.layer_count != config.layer_count())
    layout->experts.model_layers = config.expert_layers();
  for (std::uint32_t layer = 0; layer < config.layer_count(); ++layer)
    EDGEMOE_RETURN_IF_ERROR(
        LayOutLayer(finder, config, *architecture, files, LayerIndex{layer}, layout));
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

bool AreRopeFactors(TensorRole role) {
  return role == TensorRole::kRopeFactors || role == TensorRole::kRopeShortFactors ||
         role == TensorRole::kRopeLongFactors;
}

// Frequencies are divided by them.
Status CheckRopeFactors(const ModelConfig& config, const WeightsLayout::DenseTensor& tensor,
                        const std::byte* loaded) {
  const auto* const factors = reinterpret_cast<const float*>(loaded);
  const auto* const end = factors + tensor.rows * tensor.columns;
  const auto* const bad = std::find_if(
      factors, end, [](float factor) { return !std::isfinite(factor) || factor <= 0.0F; });
  if (bad == end) return OkStatus();
  const auto rules = WholeModelTensors(*FindArchitecture(config.architecture), config);
  const auto rule = std::ranges::find(rules, tensor.role, &TensorRule::role);
  return InvalidField(
      "tensor " + std::string(rule->name),
      ShowValue(static_cast<double>(*bad)) + " at place " + std::to_string(bad - factors),
      "finite numbers above 0");
}

// A vector in another type than float: read into scratch, then widened into place.
Status ReadWidened(const WeightsLayout::DenseTensor& tensor, const DenseRead& read,
                   std::byte* destination) {
  EDGEMOE_ASSIGN_OR_RETURN(AlignedBuffer packed, AlignedBuffer::Allocate(tensor.file_bytes));
  EDGEMOE_RETURN_IF_ERROR(
      read(tensor.file_index, tensor.file_offset, packed.data(), tensor.file_bytes));
  EDGEMOE_RETURN_IF_ERROR(CheckDense(tensor, packed.data()));
  DequantizeRow(tensor.type, packed.data(), tensor.rows * tensor.columns,
                reinterpret_cast<float*>(destination));
  return OkStatus();
}

Status ReadPlain(const WeightsLayout::DenseTensor& tensor, const DenseRead& read,
                 std::byte* destination) {
  EDGEMOE_RETURN_IF_ERROR(
      read(tensor.file_index, tensor.file_offset, destination, tensor.file_bytes));
  return CheckDense(tensor, destination);
}

// The tensor as it lies in memory.
MatrixView ViewOf(const WeightsLayout::DenseTensor& tensor, const std::byte* memory) {
  const bool floats = IsFloatVector(tensor.role);
  return {floats ? TensorType::kF32 : tensor.type, memory + tensor.memory_offset,
          static_cast<std::uint32_t>(tensor.rows), static_cast<std::uint32_t>(tensor.columns),
          tensor.memory_bytes / tensor.rows};
}

void Place(const WeightsLayout::DenseTensor& tensor, const MatrixView& view, bool tied_output,
           Weights* weights) {
  switch (tensor.role) {
    case TensorRole::kEmbedding:
      weights->embedding = view;
      if (tied_output) weights->output = view;
      return;
    case TensorRole::kOutputNorm:
      weights->output_norm = reinterpret_cast<const float*>(view.bytes);
      return;
    case TensorRole::kOutput: weights->output = view; return;
    case TensorRole::kRopeFactors:
      weights->rope_factors.of_all = reinterpret_cast<const float*>(view.bytes);
      return;
    case TensorRole::kRopeShortFactors:
      weights->rope_factors.of_short = reinterpret_cast<const float*>(view.bytes);
      return;
    case TensorRole::kRopeLongFactors:
      weights->rope_factors.of_long = reinterpret_cast<const float*>(view.bytes);
      return;
    default: weights->layers[tensor.layer.value].Set(tensor.role, view);
  }
}

}  // namespace

bool IsOfPredictionLayer(std::string_view name, const ModelConfig& config) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return false;
  std::uint32_t layer = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, layer);
  return parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == '.' &&
         layer >= config.layer_count() &&
         layer - config.layer_count() < config.prediction_layer_count;
}

Result<WeightsLayout> LayOutWeights(const ModelConfig& config, const GgufSet& files) {
  WeightsLayout layout;
  EDGEMOE_FAIL_IF_ERROR(LayOutInto(config, files, &layout));
  return layout;
}

Result<Weights> LoadWeights(const ModelConfig& config, const WeightsLayout& layout,
                            const DenseRead& read, const LoadProgress& progress) {
  Weights weights;
  weights.layers.resize(config.layer_count());
  EDGEMOE_ASSIGN_OR_FAIL(weights.memory, AlignedBuffer::Allocate(layout.dense_bytes));
  std::byte* memory = weights.memory.data();
  std::uint64_t loaded = 0;
  for (const WeightsLayout::DenseTensor& tensor : layout.dense) {
    std::byte* destination = memory + tensor.memory_offset;
    const bool widen = IsFloatVector(tensor.role) && tensor.type != TensorType::kF32;
    EDGEMOE_FAIL_IF_ERROR(widen ? ReadWidened(tensor, read, destination)
                                : ReadPlain(tensor, read, destination));
    if (AreRopeFactors(tensor.role))
      EDGEMOE_FAIL_IF_ERROR(CheckRopeFactors(config, tensor, destination));
    Place(tensor, ViewOf(tensor, memory), layout.tied_output, &weights);
    loaded += tensor.file_bytes;
    if (progress) progress(loaded);
  }
  return weights;
}

void UseDenseMatrix(const WeightsLayout& layout, std::size_t index, TensorType type,
                    const std::byte* bytes, Weights* weights) {
  EDGEMOE_CHECK(index < layout.dense.size(), "no such dense tensor");
  const WeightsLayout::DenseTensor& tensor = layout.dense[index];
  EDGEMOE_CHECK(!IsFloatVector(tensor.role), "a vector is no matrix");
  const std::optional<std::uint64_t> row_bytes = RowBytes(type, tensor.columns);
  EDGEMOE_CHECK(row_bytes, "rows of this type are whole blocks");
  Place(tensor,
        {type, bytes, static_cast<std::uint32_t>(tensor.rows),
         static_cast<std::uint32_t>(tensor.columns), *row_bytes},
        layout.tied_output, weights);
}

}  // namespace edgemoe
