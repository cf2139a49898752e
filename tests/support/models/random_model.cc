// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/random_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/model/arch/architecture.h"
#include "engine/model/expert_tensors.h"
#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"
#include "engine/quant/quantize.h"
#include "tests/support/models/architecture_keys.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kOtherSeed = 0x5deece66d;

std::string_view PreTokenizerOf(std::string_view architecture) {
  if (architecture == "olmoe") return "olmo";
  if (architecture == "gpt-oss") return "gpt-4o";
  if (architecture.starts_with("lfm2")) return "lfm2";
  if (architecture == "llama" || architecture == "minicpm") return "llama-bpe";
  return "qwen2";
}

bool Lacks(const RandomModelOptions& options, const TensorRule& rule) {
  return rule.optional &&
         std::ranges::find(options.optional_roles, rule.role) == options.optional_roles.end();
}

RandomTensor Describe(const RandomModelOptions& options, const std::string& name, TensorRole role,
                      const LayerConfig& layer) {
  const TensorShape shape = ShapeOf(role, options.config, layer);
  std::vector<std::uint64_t> dims = {shape.columns};
  if (shape.rows > 1 || !IsFloatVector(role)) dims.push_back(shape.rows);
  if (shape.matrices > 1) dims.push_back(shape.matrices);
  if (IsOfExpert(role)) dims.push_back(options.config.expert_count);
  TensorType type = TensorType::kF32;
  if (options.type_of && IsRequantisable(role)) {
    const TensorType wanted = options.type_of(role);
    if (RowBytes(wanted, shape.columns)) type = wanted;
  }
  const auto named = options.tensor_types.find(name);
  if (named != options.tensor_types.end()) type = named->second;
  return {name, role, type, std::move(dims)};
}

void FillRow(const WeightSpread& spread, Random& random, std::vector<float>& row) {
  for (float& x : row) {
    const double unit = 2.0 * random.NextUnit() - 1.0;
    x = static_cast<float>(spread.centre + spread.reach * unit);
  }
}

// Whether the file has what the rule, one of `rules`, is of.
bool IsWritten(const TensorRule& rule, const std::vector<TensorRule>& rules,
               const RandomModelOptions& options) {
  if (rule.optional) return !Lacks(options, rule);
  return std::ranges::none_of(rules, [&](const TensorRule& other) {
    return !rule.unless.empty() && other.name == rule.unless && !Lacks(options, other);
  });
}

// Blocks that no encoder here makes: random bits behind scales that give the spread's mean square.
// REQUIRES: a type whose blocks start with their scale, a half.
void FillBlocks(TensorType type, const WeightSpread& spread, Random& random, std::size_t columns,
                std::byte* row) {
  EDGEMOE_CHECK(spread.centre == 0, "random signs have no centre");
  const std::size_t block_bytes = TraitsOf(type).block_bytes;
  const std::size_t row_bytes = *RowBytes(type, columns);
  for (std::size_t i = 0; i < row_bytes; ++i)
    row[i] = static_cast<std::byte>(random.NextBelow(256));
  const auto set_scales = [&](float scale) {
    const HalfBits half = FloatToHalf(scale);
    for (std::size_t at = 0; at < row_bytes; at += block_bytes)
      std::memcpy(row + at, &half, sizeof(half));
  };
  set_scales(1);
  std::vector<float> units(columns);
  DequantizeRow(type, row, columns, units.data());
  double squares = 0;
  for (const float unit : units) squares += static_cast<double>(unit) * static_cast<double>(unit);
  const double wanted = spread.reach * spread.reach * static_cast<double>(columns) / 3;
  set_scales(static_cast<float>(std::sqrt(wanted / squares)));
}

// A row of random weights as packed bytes.
void DrawRow(TensorType type, const WeightSpread& spread, Random& random, std::vector<float>& row,
             std::byte* packed) {
  if (TraitsOf(type).encodable) {
    FillRow(spread, random, row);
    QuantizeRow(type, row.data(), row.size(), packed);
  } else {
    FillBlocks(type, spread, random, row.size(), packed);
  }
}

// The rows of one tensor, in order.
class RowMaker {
 public:
  RowMaker(TensorType type, std::uint64_t columns, const WeightSpread& spread,
           std::uint32_t distinct_blocks)
      : type_(type), spread_(spread), row_(columns), row_bytes_(*RowBytes(type, columns)) {
    const std::uint64_t pool_elements =
        std::uint64_t{distinct_blocks} * TraitsOf(type).block_elements;
    if (TraitsOf(type).block_elements > 1) pool_row_.resize(pool_elements);
  }

  void Make(Random& random, std::byte* packed) {
    if (pool_row_.empty()) return DrawRow(type_, spread_, random, row_, packed);
    const std::size_t block_bytes = TraitsOf(type_).block_bytes;
    if (pool_.empty()) {
      pool_.resize(*RowBytes(type_, pool_row_.size()));
      DrawRow(type_, spread_, random, pool_row_, pool_.data());
    }
    const std::uint64_t pool_blocks = pool_.size() / block_bytes;
    for (std::size_t at = 0; at < row_bytes_; at += block_bytes)
      std::memcpy(packed + at, &pool_[random.NextBelow(pool_blocks) * block_bytes], block_bytes);
  }

 private:
  const TensorType type_;
  const WeightSpread spread_;
  std::vector<float> row_;
  const std::size_t row_bytes_;
  std::vector<float> pool_row_;
  std::vector<std::byte> pool_;  // blocks, once the first row is made
};

std::vector<RandomTensor> TensorsOfFile(const RandomModelOptions& options) {
  std::vector<RandomTensor> tensors = RandomModelTensors(options);
  tensors.insert(tensors.end(), options.unused_tensors.begin(), options.unused_tensors.end());
  return tensors;
}

GgufHeader HeaderOf(const RandomModelOptions& options, const std::vector<RandomTensor>& tensors) {
  GgufWriter writer;
  for (GgufEntry& entry : RandomModelKeys(options))
    EDGEMOE_CHECK(writer.Set(entry.key, std::move(entry.value)).ok(), "keys of a model");
  for (const RandomTensor& tensor : tensors) {
    EDGEMOE_CHECK(writer.AddTensor(tensor.name, tensor.type, tensor.dims).ok(),
                  "widths are whole numbers of blocks");
  }
  return writer.Build();
}

// What goes through all tensors of a file.
struct Draws {
  Random random;
  Random other;  // of the altered tensor
};

Status MakeTensor(const RandomModelOptions& options, const RandomTensor& tensor,
                  const GgufTensor& placed, Draws& draws, const ByteSink& sink) {
  RowMaker maker(placed.type, placed.columns(), options.spread(tensor.role, placed.columns()),
                 options.distinct_blocks);
  std::vector<std::byte> packed(placed.bytes / placed.rows());
  for (std::uint64_t row = 0; row < placed.rows(); ++row) {
    if (!options.given_row || !options.given_row(tensor, row, packed)) {
      maker.Make(draws.random, packed.data());
      if (placed.name == options.altered_tensor) maker.Make(draws.other, packed.data());
    }
    EDGEMOE_RETURN_IF_ERROR(sink(packed));
  }
  return OkStatus();
}

}  // namespace

WeightSpread LivelySpread(TensorRole role, std::uint64_t columns) {
  // Rows whose product with inputs of mean square 1 has a standard deviation of `gain`.
  const auto row = [&](double gain) {
    return WeightSpread{0, gain * std::sqrt(3.0 / static_cast<double>(columns))};
  };
  switch (role) {
    // Small, so that an epsilon of 0.01 is seen in the first norm.
    case TensorRole::kEmbedding: return {0, 0.5};
    case TensorRole::kOutput: return row(2.8);
    case TensorRole::kRouter: return row(2);
    case TensorRole::kOutputNorm:
    case TensorRole::kAttentionNorm:
    case TensorRole::kAttentionPostNorm:
    case TensorRole::kFeedForwardNorm:
    case TensorRole::kFeedForwardPostNorm:
    case TensorRole::kExpertsNorm:
    case TensorRole::kExpertsPostNorm:
    case TensorRole::kDensePostNorm:
    case TensorRole::kExpertScale: return {1, 0.5};
    // What it norms is divided by the root of the width.
    case TensorRole::kRouterNorm: {
      const double root = std::sqrt(static_cast<double>(columns));
      return {root, 0.5 * root};
    }
    case TensorRole::kLayerScale: return {0.6, 0.4};
    // Attention that looks at a few positions, not at all alike.
    case TensorRole::kQueryNorm:
    case TensorRole::kKeyNorm: return {1.1, 0.6};
    case TensorRole::kQueryDownNorm:
    case TensorRole::kKeyValueDownNorm: return {1, 0.6};
    case TensorRole::kQueryBias:
    case TensorRole::kKeyBias:
    case TensorRole::kValueBias:
    case TensorRole::kRouterBias:
    case TensorRole::kGateBias:
    case TensorRole::kUpBias: return {0, 1};
    case TensorRole::kAttentionOutputBias:
    case TensorRole::kDownBias: return {0, 0.5};
    case TensorRole::kRopeFactors:
    case TensorRole::kRopeLongFactors: return {3, 2};
    case TensorRole::kRopeShortFactors: return {1.5, 0.5};
    case TensorRole::kSinks: return {1, 1.5};
    case TensorRole::kMambaKernel: return {0, 1.2};
    case TensorRole::kMambaKernelBias: return {0, 0.5};
    // Heads that forget within a few positions, and others that remember hundreds.
    case TensorRole::kMambaStepBias: return {-2, 2.5};
    case TensorRole::kMambaDecay: return {-0.6, 0.58};
    case TensorRole::kMambaSkip: return {0.5, 2};
    case TensorRole::kMambaNorm: return {1, 0.5};
    // Sigmoids lie between 0 and 1: a bias that changes about half of the choices.
    case TensorRole::kSelectionBias: return {0, 0.6};
    case TensorRole::kDenseOutputGate: return row(2);
    // States that keep what they took for a few positions, and for dozens.
    case TensorRole::kDeltaDecayScale: return {-0.3, 0.28};
    case TensorRole::kDeltaDecayBias: return {0, 1};
    case TensorRole::kDeltaRate:
    case TensorRole::kDeltaDecay:
    case TensorRole::kDeltaRatesDecays: return row(2);
    case TensorRole::kDeltaNorm: return {1, 0.5};
    case TensorRole::kDeltaKernel:
    case TensorRole::kConvolutionKernel: return {0, 1.5};
    default: return row(1);
  }
}

std::vector<RandomTensor> RandomLayerTensors(const RandomModelOptions& options,
                                             const LayerConfig& layer, std::uint32_t index) {
  const std::string prefix = "blk." + std::to_string(index) + ".";
  const auto rules = FindArchitecture(options.config.architecture)->layer_tensors(layer);
  std::vector<RandomTensor> tensors;
  for (const TensorRule& rule : rules)
    if (IsWritten(rule, rules, options))
      tensors.push_back(Describe(options, prefix + std::string(rule.name), rule.role, layer));
  if (!options.fused_experts) return tensors;
  std::erase_if(tensors, [](const RandomTensor& tensor) { return tensor.role == TensorRole::kUp; });
  const auto gate = std::ranges::find(tensors, TensorRole::kGate, &RandomTensor::role);
  gate->name = FusedExpertName(index);
  gate->dims[1] *= 2;
  const auto named = options.tensor_types.find(gate->name);
  if (named != options.tensor_types.end()) gate->type = named->second;
  return tensors;
}

std::vector<RandomTensor> RandomModelTensors(const RandomModelOptions& options) {
  const Architecture* const architecture = FindArchitecture(options.config.architecture);
  EDGEMOE_CHECK(architecture != nullptr, "an architecture of engine/model/arch");
  EDGEMOE_CHECK(options.config.vocabulary_size >= kTinyVocabularySize, "the tests' vocabulary");
  std::vector<RandomTensor> tensors;
  for (const TensorRule& rule : WholeModelTensors(*architecture, options.config)) {
    if (rule.role == TensorRole::kOutput ? options.tied_output : Lacks(options, rule)) continue;
    tensors.push_back(
        Describe(options, std::string(rule.name), rule.role, options.config.layers.front()));
  }
  for (std::uint32_t i = 0; i < options.config.layer_count(); ++i) {
    for (RandomTensor& tensor : RandomLayerTensors(options, options.config.layers[i], i))
      tensors.push_back(std::move(tensor));
  }
  return tensors;
}

std::vector<GgufEntry> RandomModelKeys(const RandomModelOptions& options) {
  std::vector<GgufEntry> all = ArchitectureKeys(options.config);
  for (GgufEntry& entry : TinyVocabularyKeys(PreTokenizerOf(options.config.architecture),
                                             options.config.vocabulary_size - kTinyVocabularySize))
    all.push_back(std::move(entry));
  if (options.chat_template) all.push_back(TinyTemplateKey());
  std::vector<GgufEntry> entries;
  for (const GgufEntry& entry : all) {
    const auto change = options.changed_keys.find(entry.key);
    if (change == options.changed_keys.end()) {
      entries.push_back(entry);
    } else if (change->second) {
      entries.push_back({entry.key, *change->second});
    }
  }
  for (const auto& [key, value] : options.changed_keys)
    if (value && std::ranges::find(all, key, &GgufEntry::key) == all.end())
      entries.push_back({key, *value});
  return entries;
}

GgufHeader RandomModelHeader(const RandomModelOptions& options) {
  return HeaderOf(options, TensorsOfFile(options));
}

Status MakeRandomModel(const RandomModelOptions& options, const ByteSink& sink) {
  const std::vector<RandomTensor> tensors = TensorsOfFile(options);
  const GgufHeader header = HeaderOf(options, tensors);
  EDGEMOE_RETURN_IF_ERROR(sink(std::as_bytes(std::span(header.bytes))));
  Draws draws = {Random(options.seed), Random(options.seed ^ kOtherSeed)};
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EDGEMOE_RETURN_IF_ERROR(MakeTensor(options, tensors[i], header.tensors[i], draws, sink));
    const bool last = i + 1 == tensors.size();
    const std::uint64_t next = last ? header.file_bytes : header.tensors[i + 1].offset;
    const std::vector<std::byte> gap(next - header.tensors[i].offset - header.tensors[i].bytes);
    if (!gap.empty()) EDGEMOE_RETURN_IF_ERROR(sink(gap));
  }
  return OkStatus();
}

std::vector<std::byte> RandomModelBytes(const RandomModelOptions& options) {
  std::vector<std::byte> bytes;
  const Status made = MakeRandomModel(options, [&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return OkStatus();
  });
  EDGEMOE_CHECK(made.ok(), "memory takes every piece");
  return bytes;
}

}  // namespace edgemoe
