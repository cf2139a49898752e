// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "engine/kernels/dispatch.h"
#include "tests/engine/model/reference_forward.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

std::vector<TokenId> RandomTokens(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    token.value = static_cast<std::int32_t>(random.NextBelow(kTinyVocabularySize));
  }
  return tokens;
}

// Root mean square of the difference, over that of the reference.
double RelativeError(std::span<const float> found, std::span<const double> expected) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

double ErrorOf(TinyModelOptions tiny, const KernelTable* kernels, std::size_t token_count) {
  const std::vector<std::byte> file = TinyModelBytes(tiny);
  auto model = LoadedModel::Load(file, {.kernels = kernels});
  EXPECT_TRUE(model) << model.error().ToString();
  const std::vector<TokenId> tokens = RandomTokens(token_count, tiny.seed);
  SequenceState sequence((*model)->state());
  const auto found = (*model)->Run(sequence, 0, tokens);
  EXPECT_TRUE(found) << found.error().ToString();
  return RelativeError(*found, ReferenceLogits(**model, file, tokens));
}

TinyModelOptions AllOf(TensorType type) {
  TinyModelOptions options;
  options.dense_type = options.gate_type = options.up_type = options.down_type = type;
  return options;
}

class ForwardAgainstReference : public testing::TestWithParam<const KernelTable*> {};

// What is left in F32 are rounding of sums (2^-24, times the root of their length) and keys and
// values that round the other way to binary16 for it (2^-11 on the few that do).
TEST_P(ForwardAgainstReference, F32) {
  EXPECT_LT(ErrorOf(AllOf(TensorType::kF32), GetParam(), 40), 1e-4);
}

TEST_P(ForwardAgainstReference, UntiedOutputAndOtherShapes) {
  TinyModelOptions options = AllOf(TensorType::kF32);
  options.tied_output = false;
  options.layer_count = 3;
  options.head_count = 6;
  options.kv_head_count = 3;
  options.head_size = 8;
  options.width = 96;
  options.expert_width = 32;
  options.expert_count = 5;
  options.expert_used_count = 3;
  EXPECT_LT(ErrorOf(options, GetParam(), 40), 1e-4);
}

TEST_P(ForwardAgainstReference, OneExpertForAll) {
  TinyModelOptions options = AllOf(TensorType::kF32);
  options.expert_count = 1;
  options.expert_used_count = 1;
  EXPECT_LT(ErrorOf(options, GetParam(), 8), 1e-4);
}

// Activations rounded to 11 bits: 2^-12 relative a product, averaged over a sum.
TEST_P(ForwardAgainstReference, F16) {
  EXPECT_LT(ErrorOf(AllOf(TensorType::kF16), GetParam(), 40), 2e-3);
}

// Activations rounded to 8 bits of the block's greatest: about 1/254/sqrt(3) of it, and with it a
// per cent of a typical value, in each of a dozen products one after another. A token whose router
// is nearly undecided may then take another expert, which the few tokens keep from happening.
TEST_P(ForwardAgainstReference, Q8_0) {
  EXPECT_LT(ErrorOf(AllOf(TensorType::kQ8_0), GetParam(), 6), 0.06);
}

TEST_P(ForwardAgainstReference, MixedTypesInOneExpert) {
  TinyModelOptions options;
  options.width = 256;
  options.expert_width = 256;
  options.head_size = 64;
  options.dense_type = TensorType::kBF16;
  options.gate_type = TensorType::kQ4_K;
  options.up_type = TensorType::kQ8_0;
  options.down_type = TensorType::kQ6_K;
  EXPECT_LT(ErrorOf(options, GetParam(), 6), 0.06);
}

TEST_P(ForwardAgainstReference, IqTypesInOneExpert) {
  TinyModelOptions options;
  options.width = 256;
  options.expert_width = 256;
  options.head_size = 64;
  options.dense_type = TensorType::kIQ4_XS;
  options.gate_type = TensorType::kIQ3_S;
  options.up_type = TensorType::kIQ3_XXS;
  options.down_type = TensorType::kIQ2_S;
  EXPECT_LT(ErrorOf(options, GetParam(), 6), 0.06);
  options.dense_type = TensorType::kIQ3_S;
  options.gate_type = TensorType::kIQ2_XS;
  options.up_type = TensorType::kIQ2_XXS;
  options.down_type = TensorType::kIQ4_XS;
  EXPECT_LT(ErrorOf(options, GetParam(), 6), 0.06);
}

INSTANTIATE_TEST_SUITE_P(Tables, ForwardAgainstReference,
                         testing::ValuesIn(AvailableKernels().begin(), AvailableKernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace edgemoe
