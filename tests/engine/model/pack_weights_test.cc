// SPDX-License-Identifier: Apache-2.0
//
// The model on packs that are written here by hand, right and wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "engine/base/checksum.h"
#include "engine/gguf/pack_keys.h"
#include "engine/model/arch/architecture.h"
#include "engine/model/expert_tensors.h"
#include "engine/model/weights.h"
#include "engine/quant/quantize.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// Each expert and role has a type of its own.
TensorType MixedType(std::size_t layer, std::size_t expert, ExpertRole role) {
  constexpr std::array<TensorType, 4> kTypes = {TensorType::kQ8_0, TensorType::kQ4_0,
                                                TensorType::kF16, TensorType::kF32};
  return kTypes[(layer + expert + static_cast<std::size_t>(role)) % kTypes.size()];
}

class PackWeightsTest : public testing::Test {
 protected:
  struct Tensor {
    std::string name;
    TensorType type = TensorType::kF32;
    std::vector<std::uint64_t> dims;
    std::vector<std::byte> bytes;
  };

  // A stock model of floats, cut into a pack of mixed types.
  PackWeightsTest() {
    options_.dense_type = options_.gate_type = options_.up_type = options_.down_type =
        TensorType::kF32;
    const std::vector<std::byte> stock = TinyModelBytes(options_);
    const GgufFile file = *ParseGguf(stock, stock.size());
    for (const GgufTensor& tensor : file.tensors()) {
      if (tensor.name.find("_exps") != std::string::npos) continue;
      dense_.push_back(
          {tensor.name,
           tensor.type,
           {tensor.dims.begin(), tensor.dims.begin() + tensor.dimension_count},
           {stock.begin() + static_cast<std::ptrdiff_t>(tensor.offset),
            stock.begin() + static_cast<std::ptrdiff_t>(tensor.offset + tensor.bytes)}});
    }
    for (std::size_t layer = 0; layer < options_.layer_count; ++layer)
      for (std::size_t expert = 0; expert < options_.expert_count; ++expert)
        for (const ExpertRole role : {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown})
          experts_.push_back(Cut(file, stock, layer, expert, role));
  }

  Tensor Cut(const GgufFile& file, const std::vector<std::byte>& stock, std::size_t layer,
             std::size_t expert, ExpertRole role) const {
    const GgufTensor& stack = *file.FindTensor(StackedExpertName(layer, role));
    const TensorType type = MixedType(layer, expert, role);
    Tensor tensor{SplitExpertName(layer, expert, role), type, {stack.dims[0], stack.dims[1]}, {}};
    const std::uint64_t row_bytes = *RowBytes(type, stack.dims[0]);
    tensor.bytes.resize(row_bytes * stack.dims[1]);
    std::vector<float> row(stack.dims[0]);
    const std::uint64_t begin = stack.offset + expert * stack.bytes / options_.expert_count;
    for (std::uint64_t r = 0; r < stack.dims[1]; ++r) {
      std::memcpy(row.data(), &stock[begin + r * row.size() * sizeof(float)],
                  row.size() * sizeof(float));
      QuantizeRow(type, row.data(), row.size(), &tensor.bytes[r * row_bytes]);
    }
    return tensor;
  }

  std::vector<std::byte> Pack() const {
    GgufWriter writer(kPackAlignment);
    EXPECT_TRUE(SetTinyModelMetadata(options_, &writer).ok());
    std::vector<Tensor> tensors = dense_;
    tensors.insert(tensors.end(), experts_.begin(), experts_.end());
    std::vector<std::uint64_t> dense_sums;
    std::vector<std::uint64_t> expert_sums;
    for (const Tensor& tensor : dense_) dense_sums.push_back(Checksum64Of(tensor.bytes));
    for (std::size_t i = 0; i + 3 <= experts_.size(); i += 3) {
      Checksum64 checksum;
      for (std::size_t role = 0; role < 3; ++role) checksum.Update(experts_[i + role].bytes);
      expert_sums.push_back(checksum.value());
    }
    expert_sums.resize(expert_sums.size() + extra_checksums_);
    EXPECT_TRUE(writer.Set(kPackVersionKey, version_).ok());
    EXPECT_TRUE(writer.Set(kPackHeaderChecksumKey, std::uint64_t{0}).ok());
    EXPECT_TRUE(writer.Set(kPackDenseChecksumsKey, GgufArray::OfUint64(dense_sums)).ok());
    if (has_expert_checksums_) {
      EXPECT_TRUE(writer.Set(kPackExpertChecksumsKey, GgufArray::OfUint64(expert_sums)).ok());
    }
    for (const Tensor& tensor : tensors)
      EXPECT_TRUE(writer.AddTensor(tensor.name, tensor.type, tensor.dims).ok()) << tensor.name;
    const std::string without = writer.Build().bytes;
    const auto checksum = PackHeaderChecksum(std::as_bytes(std::span<const char>(without)));
    EXPECT_TRUE(checksum && writer.Set(kPackHeaderChecksumKey, *checksum).ok());
    const GgufHeader header = writer.Build();
    std::vector<std::byte> file(header.file_bytes);
    std::memcpy(file.data(), header.bytes.data(), header.bytes.size());
    for (std::size_t i = 0; i < tensors.size(); ++i)
      std::ranges::copy(tensors[i].bytes,
                        file.begin() + static_cast<std::ptrdiff_t>(header.tensors[i].offset));
    return file;
  }

  Status LoadError() const {
    const std::vector<std::byte> file = Pack();
    const auto model = LoadedModel::Load(file, {});
    return model ? OkStatus() : model.error();
  }

  TinyModelOptions options_;
  std::vector<Tensor> dense_;
  std::vector<Tensor> experts_;
  std::uint32_t version_ = kPackVersion;
  std::size_t extra_checksums_ = 0;
  bool has_expert_checksums_ = true;
};

TEST_F(PackWeightsTest, EachExpertAndRoleHasATypeOfItsOwn) {
  const std::vector<std::byte> file = Pack();
  const auto model = LoadedModel::Load(file, {});
  ASSERT_TRUE(model) << model.error().ToString();
  const ExpertLayout& experts = (*model)->layout().experts;
  EXPECT_EQ(experts.checksums.size(), experts.extents.size());
  for (std::uint32_t layer = 0; layer < options_.layer_count; ++layer) {
    for (std::uint32_t e = 0; e < options_.expert_count; ++e) {
      const ExpertExtents& extents = experts.of({ExpertLayerIndex{layer}, ExpertIndex{e}});
      for (const ExpertRole role : {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown}) {
        const ExpertExtent& extent = extents[static_cast<std::size_t>(role)];
        EXPECT_EQ(extent.type, MixedType(layer, e, role));
        EXPECT_EQ(extent.offset,
                  (*model)->files().FindTensor(SplitExpertName(layer, e, role))->offset);
      }
    }
  }
}

// Mixed types change the experts' weights by a rounding each, and no more.
TEST_F(PackWeightsTest, AMixedPackRunsNearTheModelItIsOf) {
  const std::vector<TokenId> tokens = {{84}, {104}, {101}, {32}, {99}};
  std::vector<std::vector<float>> logits;
  for (const std::vector<std::byte>& file : {TinyModelBytes(options_), Pack()}) {
    const auto model = LoadedModel::Load(file, {});
    ASSERT_TRUE(model) << model.error().ToString();
    SequenceState sequence((*model)->state());
    logits.push_back((*model)->Run(sequence, 0, tokens).value());
  }
  double signal = 0;
  double noise = 0;
  for (std::size_t i = 0; i < logits[0].size(); ++i) {
    signal += std::pow(logits[0][i], 2);
    noise += std::pow(logits[0][i] - logits[1][i], 2);
  }
  EXPECT_GT(noise, 0) << "Q4_0 rounds";
  EXPECT_LT(noise, 0.05 * signal);
}

TEST_F(PackWeightsTest, AnUnknownVersionIsRefused) {
  version_ = 7;
  EXPECT_EQ(LoadError().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(LoadError().message(), HasSubstr("found 7"));
}

TEST_F(PackWeightsTest, LyingChecksumCountsAreRefused) {
  extra_checksums_ = 1;
  EXPECT_EQ(LoadError().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(LoadError().message(), HasSubstr("found 17 checksums; expected 16"));
}

TEST_F(PackWeightsTest, MissingChecksumsAreRefused) {
  has_expert_checksums_ = false;
  EXPECT_THAT(LoadError().message(), HasSubstr("edgemoe.pack.expert_checksums"));
}

TEST_F(PackWeightsTest, EveryMissingOrMisshapenMatrixIsNamed) {
  for (std::size_t i = 0; i < experts_.size(); ++i) {
    const Tensor kept = experts_[i];
    experts_[i].dims = {kept.dims[0], kept.dims[1] - 1};
    EXPECT_EQ(LoadError().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(LoadError().message(), HasSubstr(kept.name));
    experts_[i] = kept;
    experts_[i].name += "x";
    EXPECT_EQ(LoadError().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(LoadError().message(), HasSubstr(kept.name));
    experts_[i] = kept;
  }
}

TEST_F(PackWeightsTest, AFlippedBitInAnyDenseTensorIsFound) {
  const std::vector<std::byte> file = Pack();
  const GgufFile header = *ParseGguf(file, file.size());
  std::size_t dense_count = 0;
  for (const GgufTensor& tensor : header.tensors()) {
    if (tensor.offset >= header.FindTensor("blk.0.ffn_gate.0.weight")->offset) continue;
    ++dense_count;
    std::vector<std::byte> damaged = file;
    damaged[tensor.offset + tensor.bytes - 1] ^= std::byte{1};
    const auto model = LoadedModel::Load(damaged, {});
    ASSERT_FALSE(model) << tensor.name;
    EXPECT_EQ(model.error().code(), StatusCode::kDataLoss) << tensor.name;
    EXPECT_THAT(model.error().message(), HasSubstr(std::to_string(tensor.offset)));
  }
  EXPECT_EQ(dense_count, dense_.size());
}

}  // namespace
}  // namespace edgemoe
