// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/type_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <set>
#include <string>

#include "engine/base/random.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// Gate and up take K types; down's 96 columns are no whole block of 256.
TinyModelOptions Model() {
  TinyModelOptions model;
  model.width = 256;
  model.head_size = 64;
  model.expert_count = 4;
  model.expert_width = 96;
  model.context_length = 64;
  model.dense_type = model.gate_type = model.up_type = model.down_type = TensorType::kF16;
  return model;
}

class TypeSearchTest : public testing::Test {
 protected:
  void Open(std::vector<std::byte> model) {
    file_.emplace(std::move(model));
    options_.source_path = file_->path();
    options_.output_path = folder_ / "pack.gguf";
    options_.calibration_path = folder_ / "text";
    std::ofstream(options_.calibration_path) << std::string(300, 'a');
    study_ = *SourceStudy::Open(options_);
  }
  std::uint64_t BytesOf(const TensorTypes& types) const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < types.size(); ++i)
      bytes += PaddedBytes(study_->tensors()[i], types[i]);
    return bytes;
  }
  // Each budget gives the best choice of the line; `each` looks at it.
  void ExpectALine(TypeSearch& search, const std::function<void(const TensorTypes&)>& each) const {
    const std::uint64_t most = BytesOf(*search.WithinBytes(UINT64_MAX));
    std::uint64_t least = 0;
    std::uint64_t before = 0;
    for (std::uint64_t step = 0; step <= 200; ++step) {
      const std::uint64_t bytes = most * step / 200;
      const auto types = search.WithinBytes(bytes);
      if (!types) {
        EXPECT_EQ(before, 0U) << "more bytes are never too few";
        EXPECT_EQ(types.error().code(), StatusCode::kOutOfRange);
        EXPECT_THAT(types.error().message(), HasSubstr("least"));
        continue;
      }
      if (least == 0) least = BytesOf(*types);
      ASSERT_LE(BytesOf(*types), bytes);
      ASSERT_GE(BytesOf(*types), before);
      before = BytesOf(*types);
      for (std::size_t i = 0; i < types->size(); ++i) {
        const PackTensor& tensor = study_->tensors()[i];
        ASSERT_TRUE((*types)[i] == tensor.source_type || tensor.Takes((*types)[i])) << tensor.name;
        ASSERT_LE(tensor.BytesIn((*types)[i]), tensor.source_bytes);
      }
      each(*types);
    }
    EXPECT_LT(least, most);
    EXPECT_EQ(BytesOf(*search.WithinBytes(least)), least);
    const auto too_few = search.WithinBytes(least - 1);
    ASSERT_FALSE(too_few);
    EXPECT_THAT(too_few.error().message(), HasSubstr("(" + std::to_string(least) + " bytes)"));
  }

  TempFolder folder_;
  std::optional<TestFile> file_;
  PackOptions options_;
  std::unique_ptr<SourceStudy> study_;
};

TEST_F(TypeSearchTest, MoreBitsAreNeverFewerBytes) {
  Open(TinyModelBytes(Model()));
  for (const PackTensor& tensor : study_->tensors()) {
    std::uint64_t before = 0;
    for (const TensorType wanted : {TensorType::kQ2_K, TensorType::kQ3_K, TensorType::kQ4_K,
                                    TensorType::kQ5_K, TensorType::kQ6_K, TensorType::kQ8_0}) {
      const TensorType type = TypeOr(tensor, wanted);
      EXPECT_GE(tensor.BytesIn(type), before) << tensor.name;
      before = tensor.BytesIn(type);
      if (tensor.Takes(wanted)) {
        EXPECT_EQ(type, wanted);
      }
      if (tensor.role == TensorRole::kDown) {
        EXPECT_NE(type, tensor.source_type);
      }
    }
  }
}

TEST_F(TypeSearchTest, UniformIsALine) {
  Open(TinyModelBytes(Model()));
  const auto search = MakeUniformSearch(*study_);
  std::set<TensorType> seen;
  ExpectALine(*search, [&](const TensorTypes& types) {
    std::set<TensorType> of_gates;
    for (std::size_t i = 0; i < types.size(); ++i)
      if (study_->tensors()[i].role == TensorRole::kGate) of_gates.insert(types[i]);
    EXPECT_EQ(of_gates.size(), 1U);
    seen.merge(of_gates);
  });
  EXPECT_EQ(seen.size(), 6U);
  EXPECT_LT(search->ExpectedKl(*search->WithinBytes(UINT64_MAX)), 0) << "not known";
}

TEST_F(TypeSearchTest, EdgemoeGivesTheImportantMore) {
  Open(TinyModelBytes(Model()));
  const std::vector<double> importance = {0.3, 0.1, 0.8, 0.2, 0.5, 0.4, 0.9, 0.1};
  const auto search = MakeEdgemoeSearch(*study_, importance);
  std::set<TensorTypes> seen;
  ExpectALine(*search, [&](const TensorTypes& types) {
    seen.insert(types);
    std::vector<std::uint64_t> bytes(importance.size());
    for (std::size_t i = 0; i < types.size(); ++i) {
      const PackTensor& tensor = study_->tensors()[i];
      if (tensor.of_expert())
        bytes[tensor.layer.value * 4 + tensor.key.expert.value] += tensor.BytesIn(types[i]);
    }
    for (std::size_t a = 0; a < bytes.size(); ++a)
      for (std::size_t b = 0; b < bytes.size(); ++b)
        if (importance[a] > importance[b]) {
          EXPECT_GE(bytes[a], bytes[b]);
        }
  });
  EXPECT_EQ(seen.size(), 17U) << "eight experts, two steps each";
}

TEST_F(TypeSearchTest, TheSmallestThatMeetsATolerance) {
  Open(TinyModelBytes(Model()));
  const auto search = MakeEdgemoeSearch(*study_, {1, 2, 3, 4, 5, 6, 7, 8});
  const std::uint64_t most = BytesOf(*search->WithinBytes(UINT64_MAX));
  for (std::uint64_t wanted = most / 3; wanted <= most; wanted += most / 40) {
    int calls = 0;
    const auto types = search->Smallest(1, [&](const TensorTypes& tried) -> Result<double> {
      ++calls;
      return static_cast<double>(wanted) / static_cast<double>(BytesOf(tried));
    });
    ASSERT_TRUE(types);
    EXPECT_GE(BytesOf(*types), wanted);
    const auto smaller = search->WithinBytes(BytesOf(*types) - 1);
    if (smaller) {
      EXPECT_LT(BytesOf(*smaller), wanted);
    }
    EXPECT_LE(calls, 5) << "bisection of seventeen";
  }
  const auto none = search->Smallest(1, [](const TensorTypes&) -> Result<double> { return 2.5; });
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), StatusCode::kOutOfRange);
  EXPECT_THAT(none.error().message(), HasSubstr("2.5 times"));
  const auto failed = search->Smallest(
      1, [](const TensorTypes&) -> Result<double> { return Failure(CancelledError("stop")); });
  EXPECT_EQ(failed.error().code(), StatusCode::kCancelled);
}

// An expert of zeros is not harmed by any type; that says nothing of its neighbours.
TEST_F(TypeSearchTest, AnExpertOfZerosDoesNotMakeItsGroupWorthless) {
  TinyModelOptions model;
  model.context_length = 64;
  model.dense_type = model.gate_type = model.up_type = model.down_type = TensorType::kF32;
  std::vector<std::byte> bytes = TinyModelBytes(model);
  const GgufFile file = *ParseGguf(bytes, bytes.size());
  const GgufTensor& down = *file.FindTensor("blk.0.ffn_down_exps.weight");
  std::memset(bytes.data() + down.offset, 0, static_cast<std::size_t>(down.bytes / 8));
  Open(std::move(bytes));
  ASSERT_TRUE(study_->Calibrate(folder_ / "calibration", [](auto, auto, auto) {}).ok());
  MeasurementLog log = *MeasurementLog::Open(folder_ / "log", study_->identity());
  ComputePool pool(1);
  const std::vector<TensorType> types = {TensorType::kQ4_0, TensorType::kQ8_0};
  const DamageTable damages = *MeasureDamage(study_->source(), {.tensors = study_->tensors(),
                                                                .types = types,
                                                                .weights = &study_->weights(),
                                                                .pool = &pool,
                                                                .log = &log});
  const auto sensitivity =
      MeasureSensitivity(*study_, {.damages = &damages, .pool = &pool, .log = &log});
  ASSERT_TRUE(sensitivity) << sensitivity.error().ToString();
  for (std::size_t i = 0; i < study_->tensors().size(); ++i) {
    const PackTensor& tensor = study_->tensors()[i];
    if (tensor.role != TensorRole::kDown) continue;
    EXPECT_EQ(damages.of(i, 0) == 0, tensor.layer.value == 0 && tensor.key.expert.value == 0);
    EXPECT_GT(sensitivity->of(tensor), 0) << tensor.name;
  }
  EXPECT_EQ(sensitivity->probe_count(), 2U * 7 + 1);
}

}  // namespace
}  // namespace edgemoe
