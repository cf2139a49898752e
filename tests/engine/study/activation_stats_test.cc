// SPDX-License-Identifier: Apache-2.0
//
// The sums are those of a naive forward pass, the same to the bit whatever threads and storage do,
// and come back from their file as they were.
#include "engine/study/activation_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/gguf/gguf_reader.h"
#include "tests/engine/model/reference_forward.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::size_t kTokens = 40;
constexpr std::array<ExpertSum, kExpertSumCount> kSums = {ExpertSum::kInput, ExpertSum::kGateSlope,
                                                          ExpertSum::kUpSlope, ExpertSum::kHidden};
constexpr std::array<DenseInput, kDenseInputCount> kInputs = {
    DenseInput::kAttention, DenseInput::kAttentionOutput, DenseInput::kFfn, DenseInput::kOutput};

// Widths that are no multiple of what is summed at once.
TinyModelOptions FloatModel() {
  TinyModelOptions options;
  options.width = 96;
  options.expert_width = 160;
  options.head_size = 24;
  options.dense_type = options.gate_type = options.up_type = options.down_type = TensorType::kF32;
  return options;
}

std::vector<TokenId> RandomTokens(std::size_t count) {
  Random random(7);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    token.value = static_cast<std::int32_t>(random.NextBelow(kTinyVocabularySize));
  }
  return tokens;
}

std::vector<ExpertKey> AllExperts(const ActivationShape& shape) {
  std::vector<ExpertKey> keys;
  for (std::uint32_t layer = 0; layer < shape.layer_count; ++layer) {
    for (std::uint32_t expert = 0; expert < shape.expert_count; ++expert) {
      keys.push_back({ExpertLayerIndex{layer}, ExpertIndex{expert}});
    }
  }
  return keys;
}

// Everything that stats hold, with names.
std::vector<std::pair<std::string, std::span<const float>>> AllSums(const ActivationStats& stats) {
  std::vector<std::pair<std::string, std::span<const float>>> all;
  for (std::uint32_t i = 0; i < stats.shape().layer_count; ++i) {
    const std::string where = "layer " + std::to_string(i);
    for (const DenseInput input : kInputs) {
      all.emplace_back(where + " input " + std::to_string(static_cast<int>(input)),
                       stats.dense_sum(input, LayerIndex{i}));
    }
    all.emplace_back(where + " p", stats.weight_sums(ExpertLayerIndex{i}));
    all.emplace_back(where + " p^2", stats.weight_square_sums(ExpertLayerIndex{i}));
  }
  for (const ExpertKey key : AllExperts(stats.shape())) {
    for (const ExpertSum which : kSums) {
      all.emplace_back("layer " + std::to_string(key.layer.value) + " expert " +
                           std::to_string(key.expert.value) + " sum " +
                           std::to_string(static_cast<int>(which)),
                       stats.sum(which, key));
    }
  }
  return all;
}

// Equal counts, and sums that differ by `tolerance` of themselves at most.
void ExpectSame(const ActivationStats& a, const ActivationStats& b, double tolerance) {
  ASSERT_EQ(a.shape(), b.shape());
  for (const ExpertKey key : AllExperts(a.shape())) EXPECT_EQ(a.use_count(key), b.use_count(key));
  for (std::uint32_t layer = 0; layer < a.shape().layer_count; ++layer) {
    for (const DenseInput input : kInputs) {
      EXPECT_EQ(a.row_count(input, LayerIndex{layer}), b.row_count(input, LayerIndex{layer}));
    }
  }
  const auto sums_a = AllSums(a);
  const auto sums_b = AllSums(b);
  for (std::size_t s = 0; s < sums_a.size(); ++s) {
    for (std::size_t i = 0; i < sums_a[s].second.size(); ++i) {
      const double found = sums_a[s].second[i];
      const double expected = sums_b[s].second[i];
      ASSERT_LE(std::abs(found - expected), tolerance * expected) << sums_a[s].first << ": " << i;
    }
  }
}

void ExpectNear(std::span<const float> found, std::span<const double> expected,
                const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  EXPECT_LE(std::sqrt(difference), 1e-3 * std::sqrt(norm)) << what;
}

class ActivationStatsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { file_ = new std::vector<std::byte>(TinyModelBytes(FloatModel())); }
  static void TearDownTestSuite() { delete file_; }

  // Stats of a run of `tokens`.
  static ActivationStats StatsOf(std::span<const TokenId> tokens, std::uint32_t chunk = 64,
                                 std::size_t threads = 1, std::uint64_t shuffle_seed = 0) {
    ActivationStats stats = Zeros();
    auto model =
        LoadedModel::Load(*file_, {.rows_max = chunk, .thread_count = threads, .observer = &stats});
    EXPECT_TRUE(model);
    if (shuffle_seed != 0) (*model)->experts().Shuffle(shuffle_seed, 3);
    SequenceState sequence((*model)->state());
    EXPECT_TRUE((*model)->Run(sequence, 0, tokens));
    return stats;
  }
  static ActivationStats Zeros() {
    auto model = LoadedModel::Load(*file_, {});
    EXPECT_TRUE(model);
    return *ActivationStats::Create(ActivationShape::Of((*model)->config()));
  }

  static std::vector<std::byte>* file_;
  const std::vector<TokenId> tokens_ = RandomTokens(kTokens);
};
std::vector<std::byte>* ActivationStatsTest::file_ = nullptr;

struct NaiveSums {
  std::map<std::pair<ExpertSum, std::size_t>, std::vector<double>> experts;
  std::map<std::size_t, std::array<double, 3>> uses;  // count, p, p^2
};

// One layer's, by the definitions in the header.
NaiveSums SumsOf(const std::vector<ReferenceActivations>& tokens, std::size_t layer) {
  NaiveSums sums;
  for (const ReferenceActivations& token : tokens) {
    const ReferenceActivations::Layer& seen = token.layers[layer];
    for (const ReferenceUse& use : seen.uses) {
      const double p2 = use.weight * use.weight;
      const auto add = [&](ExpertSum which, std::size_t i, std::size_t size, double value) {
        std::vector<double>& sum = sums.experts[{which, use.expert}];
        sum.resize(size);
        sum[i] += p2 * value * value;
      };
      for (std::size_t i = 0; i < seen.ffn.size(); ++i) {
        add(ExpertSum::kInput, i, seen.ffn.size(), seen.ffn[i]);
      }
      for (std::size_t i = 0; i < use.gate.size(); ++i) {
        const auto silu = [](double g) { return g / (1 + std::exp(-g)); };
        constexpr double kStep = 1e-5;
        const double slope = (silu(use.gate[i] + kStep) - silu(use.gate[i] - kStep)) / (2 * kStep);
        add(ExpertSum::kGateSlope, i, use.gate.size(), slope * use.up[i]);
        add(ExpertSum::kUpSlope, i, use.gate.size(), silu(use.gate[i]));
        add(ExpertSum::kHidden, i, use.gate.size(), silu(use.gate[i]) * use.up[i]);
      }
      sums.uses[use.expert][0] += 1;
      sums.uses[use.expert][1] += use.weight;
      sums.uses[use.expert][2] += p2;
    }
  }
  return sums;
}

TEST_F(ActivationStatsTest, SumsAreTheReferences) {
  const ActivationStats stats = StatsOf(tokens_, 7, 2);
  std::vector<ReferenceActivations> expected;
  ReferenceLogits(**LoadedModel::Load(*file_, {}), *file_, tokens_, &expected);
  EXPECT_EQ(stats.token_count(), kTokens);
  for (std::uint32_t l = 0; l < stats.shape().layer_count; ++l) {
    const LayerIndex layer{l};
    const auto expect_dense = [&](DenseInput input, auto member) {
      std::vector<double> sums(member(expected[0]).size());
      for (const ReferenceActivations& token : expected) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
          sums[i] += member(token)[i] * member(token)[i];
        }
      }
      EXPECT_EQ(stats.row_count(input, layer), kTokens);
      ExpectNear(stats.dense_sum(input, layer), sums,
                 "dense " + std::to_string(static_cast<int>(input)));
    };
    expect_dense(DenseInput::kAttention, [&](const auto& t) { return t.layers[l].attention; });
    expect_dense(DenseInput::kAttentionOutput,
                 [&](const auto& t) { return t.layers[l].attention_output; });
    expect_dense(DenseInput::kFfn, [&](const auto& t) { return t.layers[l].ffn; });
    expect_dense(DenseInput::kOutput, [](const auto& t) { return t.output; });

    const ExpertLayerIndex of{l};
    const NaiveSums sums = SumsOf(expected, l);
    for (const auto& [key, values] : sums.experts) {
      const ExpertIndex expert{static_cast<std::uint32_t>(key.second)};
      ExpectNear(stats.sum(key.first, {of, expert}), values,
                 "expert's " + std::to_string(static_cast<int>(key.first)));
    }
    std::uint64_t use_count = 0;
    for (const auto& [expert, uses] : sums.uses) {
      const ExpertIndex index{static_cast<std::uint32_t>(expert)};
      EXPECT_EQ(static_cast<double>(stats.use_count({of, index})), uses[0]);
      EXPECT_NEAR(stats.weight_sums(of)[expert], uses[1], 1e-3);
      EXPECT_NEAR(stats.weight_square_sums(of)[expert], uses[2], 1e-3);
      use_count += stats.use_count({of, index});
    }
    EXPECT_EQ(use_count, kTokens * FloatModel().expert_used_count);
  }
}

TEST(ActivationStats, SlopesAreThoseOfTheActivation) {
  const std::vector<float> gate = {-6, -2.5F, -0.75F, -0.1F, 0, 0.2F, 1.25F, 3, 6.5F, 9};
  const std::vector<float> up = {1, -0.5F, 2, 3, 1.5F, -2, 0.25F, -8, 7.5F, 1};
  const ExpertKey key = {ExpertLayerIndex{0}, ExpertIndex{1}};
  const std::vector<std::uint32_t> rows = {0};
  const std::vector<float> weights = {0.5F};
  for (const Activation activation :
       {Activation::kSwiglu, Activation::kClampedSwiglu, Activation::kGeglu}) {
    ActivationStats stats =
        *ActivationStats::Create({.layer_count = 1,
                                  .width = 4,
                                  .expert_count = 2,
                                  .expert_width = static_cast<std::uint32_t>(gate.size()),
                                  .expert_layers = {LayerIndex{0}},
                                  .attention_widths = {4}});
    stats.OnHidden({key, rows, weights}, {.activation = activation,
                                          .begin = 0,
                                          .end = gate.size(),
                                          .stride = gate.size(),
                                          .gate = gate.data(),
                                          .up = up.data()});
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const double g = static_cast<double>(gate[i]);
      const double u = static_cast<double>(up[i]);
      constexpr double kStep = 1e-6;
      const double value = ReferenceJoined(activation, g, u);
      const double by_gate =
          (ReferenceJoined(activation, g + kStep, u) - ReferenceJoined(activation, g - kStep, u)) /
          (2 * kStep);
      const double by_up =
          (ReferenceJoined(activation, g, u + kStep) - ReferenceJoined(activation, g, u - kStep)) /
          (2 * kStep);
      const auto expect = [&](ExpertSum which, double of) {
        const double expected = 0.25 * of * of;
        EXPECT_NEAR(static_cast<double>(stats.sum(which, key)[i]), expected, 1e-6 + 1e-5 * expected)
            << static_cast<int>(activation) << ", " << g << ", " << u;
      };
      expect(ExpertSum::kHidden, value);
      expect(ExpertSum::kGateSlope, by_gate);
      expect(ExpertSum::kUpSlope, by_up);
    }
  }
}

TEST_F(ActivationStatsTest, ThreadsAndOrderOfExpertsGiveTheSameBits) {
  const ActivationStats expected = StatsOf(tokens_, 16);
  for (const std::size_t threads : {2U, 5U}) {
    ExpectSame(StatsOf(tokens_, 16, threads, threads), expected, 0);
  }
}

TEST_F(ActivationStatsTest, StepsRoundOnceEach) {
  const ActivationStats expected = StatsOf(tokens_);
  for (const std::uint32_t chunk : {1U, 7U, 32U}) {
    const double steps = static_cast<double>(kTokens) / chunk + 1;
    ExpectSame(StatsOf(tokens_, chunk), expected, (steps + 1) * 0x1.0p-24);
  }
}

TEST_F(ActivationStatsTest, CountsExpertsNeverUsed) {
  EXPECT_EQ(Zeros().never_used_count(), 16U);
  // One token takes two of the eight in each of two layers.
  EXPECT_EQ(StatsOf(std::span(tokens_).first(1)).never_used_count(), 12U);
}

TEST(ActivationStats, MemoryOfALargeModelIsBounded) {
  ActivationShape shape = {
      .layer_count = 48, .width = 2048, .expert_count = 128, .expert_width = 768};
  shape.attention_widths.assign(shape.layer_count, 4096);
  for (std::uint32_t i = 0; i < shape.layer_count; ++i)
    shape.expert_layers.push_back(LayerIndex{i});
  EXPECT_GT(ActivationStats::Bytes(shape), 100'000'000U);
  EXPECT_LE(ActivationStats::Bytes(shape), 110'000'000U);
}

class ActivationStatsFile : public ActivationStatsTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_);
    ASSERT_TRUE(stats_.Save(path_, kIdentity).ok());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void SetBytes(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  Status LoadStatus(std::string_view identity = kIdentity) const {
    const auto loaded = ActivationStats::Load(path_, identity, stats_.shape());
    return loaded ? OkStatus() : loaded.error();
  }

  static constexpr std::string_view kIdentity = "model 1, text 2";
  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                        ("activation_stats_test." + std::to_string(::getpid()));
  const std::string path_ = (folder_ / "stats.gguf").string();
  ActivationStats stats_ = StatsOf(std::span(tokens_).first(5));
};

TEST_F(ActivationStatsFile, ComesBackToTheBit) {
  const auto loaded = ActivationStats::Load(path_, kIdentity, stats_.shape());
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  ExpectSame(*loaded, stats_, 0);
  EXPECT_EQ(loaded->never_used_count(), stats_.never_used_count());
  EXPECT_FALSE(std::filesystem::exists(path_ + ".partial"));
}

TEST_F(ActivationStatsFile, IsGguf) {
  const std::string bytes = Bytes();
  const auto file = ParseGguf(std::as_bytes(std::span(bytes)), bytes.size());
  ASSERT_TRUE(file) << file.error().ToString();
  const GgufTensor* const tensor = file->FindTensor("blk.1.ffn_down_exps.in_sum2");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->ShapeText(), "[160, 8]");
}

// What was saved and goes on being added to is what it would have been.
TEST_F(ActivationStatsFile, GoesOnWhereItWas) {
  auto resumed = ActivationStats::Load(path_, kIdentity, stats_.shape());
  ASSERT_TRUE(resumed);
  const std::span<const TokenId> rest = std::span(tokens_).subspan(5);
  for (ActivationStats* stats : {&*resumed, &stats_}) {
    auto model = LoadedModel::Load(*file_, {.observer = stats});
    ASSERT_TRUE(model);
    SequenceState sequence((*model)->state());
    ASSERT_TRUE((*model)->Run(sequence, 0, rest));
  }
  EXPECT_EQ(resumed->token_count(), kTokens);
  ExpectSame(*resumed, stats_, 0);
}

TEST_F(ActivationStatsFile, ReplacesWhatWasThere) {
  const ActivationStats more = StatsOf(tokens_);
  ASSERT_TRUE(more.Save(path_, "another, longer identity that moves all data in the file").ok());
  EXPECT_EQ(LoadStatus().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(LoadStatus("another, longer identity that moves all data in the file").ok());
}

TEST_F(ActivationStatsFile, AFullDiskLeavesTheOldFile) {
  PackDisk full = PackDisk::Real();
  full.write = [](int, const void*, std::size_t, off_t) -> ssize_t {
    errno = ENOSPC;
    return -1;
  };
  const Status status = StatsOf(tokens_).Save(path_, "new", full);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr(path_));
  EXPECT_TRUE(LoadStatus().ok());
}

TEST_F(ActivationStatsFile, RefusesAnotherIdentity) {
  const Status status = LoadStatus("model 2, text 2");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(),
              HasSubstr("found \"model 1, text 2\"; expected \"model 2, text 2\""));
}

TEST_F(ActivationStatsFile, RefusesAnotherShape) {
  ActivationShape shape = stats_.shape();
  shape.width = 128;
  auto loaded = ActivationStats::Load(path_, kIdentity, shape);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(loaded.error().message(),
              HasSubstr("blk.0.attn_qkv.in_sum2: found F32 [96]; expected F32 [128]"));
  shape = stats_.shape();
  shape.expert_count = 4;
  loaded = ActivationStats::Load(path_, kIdentity, shape);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(loaded.error().message(), HasSubstr("found 16 counts; expected 8"));
}

TEST_F(ActivationStatsFile, NamesWhatIsMissingOrForeign) {
  SetBytes("no such file");
  EXPECT_EQ(LoadStatus().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(LoadStatus().message(), HasSubstr(path_));
  const std::vector<std::byte> tiny = TinyModelBytes({});
  SetBytes({reinterpret_cast<const char*>(tiny.data()), tiny.size()});
  EXPECT_THAT(LoadStatus().message(), HasSubstr("general.type"));
  std::filesystem::remove(path_);
  EXPECT_EQ(LoadStatus().code(), StatusCode::kNotFound);
}

TEST_F(ActivationStatsFile, FindsDamage) {
  const std::string bytes = Bytes();
  const auto file = ParseGguf(std::as_bytes(std::span(bytes)), bytes.size());
  ASSERT_TRUE(file);
  const std::uint64_t inside = file->FindTensor("blk.1.ffn_gate_exps.slope_sum2")->offset + 17;
  std::string damaged = bytes;
  damaged[inside] = static_cast<char>(damaged[inside] ^ 1);
  SetBytes(damaged);
  EXPECT_EQ(LoadStatus().code(), StatusCode::kDataLoss);
  SetBytes(bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(LoadStatus().code(), StatusCode::kInvalidArgument);
}

TEST_F(ActivationStatsFile, RefusesToSaveWhatIsNotFinite) {
  std::vector<float> x(stats_.shape().width, std::numeric_limits<float>::infinity());
  stats_.OnDense(DenseInput::kFfn, LayerIndex{1}, x.data(), 1, x.size());
  const Status status = stats_.Save(path_, "infinite");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("blk.1.ffn_gate_inp.in_sum2"));
  EXPECT_TRUE(LoadStatus().ok());
}

}  // namespace
}  // namespace edgemoe
