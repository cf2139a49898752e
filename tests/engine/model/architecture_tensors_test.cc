// SPDX-License-Identifier: Apache-2.0
//
// Files of every architecture in which one tensor is missing, misshapen, of another type, or one
// too many: the tensor is named, with what was found and what is expected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/base/accepted.h"
#include "engine/model/arch/architecture.h"
#include "engine/model/expert_tensors.h"
#include "engine/model/weights.h"
#include "tests/golden/fixtures.h"
#include "tests/support/models/changed_model.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

using Dims = std::vector<std::uint64_t>;

class ArchitectureTensors : public testing::TestWithParam<std::string> {
 protected:
  // `test` with each plain fixture of the architecture; a sanitizer sees the first one.
  template <class Test>
  void ForEachFixture(Test test) const {
    for (const Fixture* const fixture : PlainFixtures(GetParam())) {
      SCOPED_TRACE(fixture->name);
      test(fixture->model);
      if (kSanitized) break;
    }
  }
};

std::string ShapeText(const Dims& dims) {
  std::string text;
  for (const std::uint64_t dim : dims) text += (text.empty() ? "" : ", ") + std::to_string(dim);
  return "[" + text + "]";
}

// Whether files may lack it, by the rules of the whole model or of any layer.
bool IsOptional(const ModelConfig& config, const RandomTensor& tensor) {
  const Architecture& architecture = *FindArchitecture(config.architecture);
  std::vector<TensorRule> rules = WholeModelTensors(architecture, config);
  for (const LayerConfig& layer : config.layers)
    std::ranges::copy(architecture.layer_tensors(layer), std::back_inserter(rules));
  return IsOfPredictionLayer(tensor.name, config) ||
         std::ranges::any_of(rules, [&](const TensorRule& rule) {
           return rule.role == tensor.role && rule.optional && tensor.name.ends_with(rule.name);
         });
}

TEST_P(ArchitectureTensors, HasAModelThatAnswers) {
  ASSERT_FALSE(PlainFixtures(GetParam()).empty()) << "tests/golden/fixtures: none with F32 weights";
  ForEachFixture([](const RandomModelOptions& model) {
    const std::vector<std::byte> file = RandomModelBytes(model);
    const auto logits = Answer(FileOf(ModelParts(model), file), 3);
    ASSERT_TRUE(logits) << logits.error().ToString();
    EXPECT_EQ(*logits, *Answer(file, 3));
  });
}

TEST_P(ArchitectureTensors, EveryMissingTensorIsNamed) {
  ForEachFixture([](const RandomModelOptions& model) {
    const std::vector<std::byte> file = RandomModelBytes(model);
    const ModelParts whole(model);
    for (const RandomTensor& tensor : whole.tensors) {
      SCOPED_TRACE(tensor.name);
      ModelParts parts = whole;
      std::erase_if(parts.tensors, [&](const auto& other) { return other.name == tensor.name; });
      const std::vector<std::byte> changed = FileOf(parts, file);
      const Status status = Understand(changed);
      if (tensor.name.ends_with("ffn_gate_up_exps.weight")) {
        // Neither of the two that it stands for is there.
        EXPECT_THAT(status.message(), HasSubstr("ffn_gate_exps.weight: missing, expected with"));
      } else if (!IsOptional(model.config, tensor)) {
        EXPECT_EQ(status, FailedPreconditionError("tensor " + tensor.name +
                                                  ": missing, expected with shape " +
                                                  ShapeText(tensor.dims)));
      } else if (status.ok()) {
        const auto logits = Answer(changed, 3);
        EXPECT_TRUE(logits) << logits.error().ToString();
      } else {
        EXPECT_THAT(status.message(), HasSubstr(": missing, expected with shape ["))
            << "what stands for it";
      }
    }
  });
}

TEST_P(ArchitectureTensors, EveryWrongShapeIsNamed) {
  ForEachFixture([](const RandomModelOptions& model) {
    const ModelParts whole(model);
    for (std::size_t i = 0; i < whole.tensors.size(); ++i) {
      const RandomTensor& tensor = whole.tensors[i];
      if (IsOfPredictionLayer(tensor.name, model.config)) continue;
      SCOPED_TRACE(tensor.name);
      std::vector<Dims> shapes;
      for (std::size_t d = 0; d < tensor.dims.size(); ++d) {
        shapes.push_back(tensor.dims);
        shapes.back()[d] += 32;
      }
      shapes.push_back(tensor.dims);
      shapes.back().push_back(2);
      Dims turned = tensor.dims;
      std::ranges::reverse(turned);
      if (turned != tensor.dims) shapes.push_back(turned);
      for (const Dims& shape : shapes) {
        ModelParts parts = whole;
        parts.tensors[i].dims = shape;
        const Status status = Understand(FileOf(parts));
        EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
        EXPECT_THAT(status.message(),
                    StartsWith("tensor " + tensor.name + ": shape is " + ShapeText(shape) +
                               ", expected " + ShapeText(tensor.dims)));
      }
    }
  });
}

TEST_P(ArchitectureTensors, OneTooManyIsNamed) {
  ForEachFixture([](const RandomModelOptions& model) {
    const std::string behind =
        std::to_string(model.config.layer_count() + model.config.prediction_layer_count);
    for (const std::string& name :
         {std::string("extra.weight"), std::string("blk.0.extra.weight"),
          std::string("blk.0.attn_norm.bias"), std::string("rope_factors.weight"),
          "blk." + behind + ".attn_norm.weight", std::string("blk.4294967296.attn_norm.weight"),
          std::string("blk.")}) {
      ModelParts parts(model);
      parts.tensors.push_back({name, TensorRole::kOutputNorm, TensorType::kF32, {64}});
      const Status status = Understand(FileOf(parts));
      EXPECT_EQ(status,
                UnimplementedError("tensor " + name + ": not part of a model of architecture " +
                                   GetParam() + ", and not supported"));
    }
  });
}

// Of the whole model, but not of every model: nobody would divide by them.
TEST_P(ArchitectureTensors, FactorsThatNoLayerUsesAreNamed) {
  ForEachFixture([](const RandomModelOptions& model) {
    const Architecture& architecture = *FindArchitecture(model.config.architecture);
    const auto rules = WholeModelTensors(architecture, model.config);
    for (const char* const name :
         {"rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"}) {
      if (std::ranges::find(rules, name, &TensorRule::name) != rules.end()) continue;
      ModelParts parts(model);
      parts.tensors.push_back({name, TensorRole::kRopeFactors, TensorType::kF32, {16}});
      EXPECT_THAT(Understand(FileOf(parts)).message(),
                  StartsWith("tensor " + std::string(name) + ": not part of a model"));
    }
  });
}

TEST_P(ArchitectureTensors, EveryTypeThatCannotBeComputedIsNamed) {
  ForEachFixture([](const RandomModelOptions& model) {
    const ModelParts whole(model);
    for (std::size_t i = 0; i < whole.tensors.size(); ++i) {
      if (IsOfPredictionLayer(whole.tensors[i].name, model.config)) continue;
      ModelParts parts = whole;
      parts.tensors[i].type = TensorType::kI8;
      const Status status = Understand(FileOf(parts));
      EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
      EXPECT_THAT(status.message(), StartsWith("tensor " + whole.tensors[i].name +
                                               ": type is I8, accepted are F32, F16, "));
    }
  });
}

// Files may have any tensor in any type whose blocks fill a row: what was not meant to be packed,
// too.
TEST_P(ArchitectureTensors, EveryComputableTypeIsTakenOfEveryTensor) {
  ForEachFixture([](const RandomModelOptions& model) {
    const std::vector<std::byte> file = RandomModelBytes(model);
    for (std::uint32_t number = 0; number < kTensorTypeCount; ++number) {
      const TensorTypeTraits* const traits = FindTensorType(number);
      if (traits == nullptr || !traits->computable) continue;
      SCOPED_TRACE(traits->name);
      ModelParts parts(model);
      for (RandomTensor& tensor : parts.tensors) {
        const auto type = static_cast<TensorType>(number);
        if (tensor.name.starts_with("rope_")) continue;  // of another type it would be 0 here
        if (RowBytes(type, tensor.dims[0])) tensor.type = type;
      }
      const auto logits = Answer(FileOf(parts, file), 3);
      EXPECT_TRUE(logits) << logits.error().ToString();
    }
  });
}

// Frequencies are divided by them.
TEST_P(ArchitectureTensors, FactorsThatAreNotAbove0AreNamed) {
  ForEachFixture([](const RandomModelOptions& model) {
    const std::vector<std::byte> file = RandomModelBytes(model);
    const ModelParts parts(model);
    const GgufFile header = *ParseGguf(file, file.size());
    for (const GgufTensor& tensor : header.tensors()) {
      if (!tensor.name.starts_with("rope_")) continue;
      for (const float bad : {0.0F, -1.0F, std::nanf(""), std::numeric_limits<float>::infinity()}) {
        std::vector<std::byte> changed = file;
        std::memcpy(&changed[tensor.offset + sizeof(float)], &bad, sizeof(bad));
        const auto logits = Answer(changed, 3);
        ASSERT_FALSE(logits);
        EXPECT_EQ(logits.error().message(), "tensor " + tensor.name + ": found " +
                                                ShowValue(static_cast<double>(bad)) +
                                                " at place 1; accepted: finite numbers above 0");
      }
    }
  });
}

// A layer's experts, each a tensor by itself: one of them is missing, or of another shape.
TEST_P(ArchitectureTensors, OneOfTheExpertsIsNamed) {
  ForEachFixture([](const RandomModelOptions& model) {
    const std::vector<LayerIndex> layers = model.config.expert_layers();
    if (layers.empty()) return;
    const std::size_t layer = layers.back().value;
    const std::uint32_t count = model.config.expert_count;
    ModelParts parts(model);
    for (const ExpertRole role : {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown}) {
      const auto stack =
          std::ranges::find(parts.tensors, StackedExpertName(layer, role), &RandomTensor::name);
      if (stack == parts.tensors.end()) return;  // fused
      RandomTensor one = *stack;
      one.dims.pop_back();
      parts.tensors.erase(stack);
      for (std::uint32_t e = 0; e < count; ++e) {
        one.name = SplitExpertName(layer, e, role);
        parts.tensors.push_back(one);
      }
    }
    EXPECT_EQ(Understand(FileOf(parts)), OkStatus());
    RandomTensor& last = parts.tensors.back();
    const std::string name = last.name;
    last.dims.back() += 32;
    EXPECT_THAT(Understand(FileOf(parts)).message(), StartsWith("tensor " + name + ": shape is "));
    parts.tensors.pop_back();
    EXPECT_THAT(Understand(FileOf(parts)).message(),
                AnyOf("tensor " + name + ": missing, expected with shape [" +
                      std::to_string(model.config.expert_width) + ", " +
                      std::to_string(model.config.width) + "]"));
  });
}

// Vocabularies that are not those of the weights: both tensors and key are named.
TEST_P(ArchitectureTensors, VocabularyOfAnotherModelIsNamed) {
  ForEachFixture([](const RandomModelOptions& model) {
    const std::string width = std::to_string(model.config.width);
    const auto refusal_by = [&](const std::string& key) {
      return InvalidArgumentError(
          "tensor token_embd.weight: shape is [" + width + ", 263], expected [" + width +
          ", 262], a row for each of the 262 tokens of the vocabulary (" + key + ")");
    };
    ModelParts parts(model);
    std::vector<std::string> tokens;
    const auto& all = std::get<GgufArray>(*parts.FindKey("tokenizer.ggml.tokens"));
    for (std::size_t i = 0; i + 1 < all.size(); ++i) tokens.emplace_back(all.StringAt(i));
    parts.SetKey("tokenizer.ggml.tokens", GgufArray::OfStrings(tokens));
    EXPECT_EQ(Understand(FileOf(parts)), refusal_by("tokenizer.ggml.tokens"));
    parts.RemoveKey("tokenizer.ggml.tokens");
    const std::string size_key = model.config.architecture + ".vocab_size";
    parts.SetKey(size_key, std::uint32_t{262});
    EXPECT_EQ(Understand(FileOf(parts)), refusal_by(size_key));
  });
}

INSTANTIATE_TEST_SUITE_P(All, ArchitectureTensors, testing::ValuesIn(ArchitectureNames()),
                         [](const auto& test) { return TestNameOf(test.param); });

}  // namespace
}  // namespace edgemoe
