// SPDX-License-Identifier: Apache-2.0
#include "engine/study/kl_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "tests/engine/study/offline_models.h"
#include "tests/golden/fixtures.h"
#include "tests/support/child_process.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kContext = 48;
constexpr std::size_t kWindows = 3;

// The plain way, in double precision throughout.
Quality SlowQuality(std::span<const std::byte> reference, std::span<const std::byte> model,
                    const TextWindows& windows) {
  const auto logprobs = [](const std::vector<float>& logits, std::size_t position) {
    std::vector<double> row(logits.begin() + std::ptrdiff_t(position * kTinyVocabularySize),
                            logits.begin() + std::ptrdiff_t((position + 1) * kTinyVocabularySize));
    double sum = 0;
    for (const double logit : row) sum += std::exp(logit);
    for (double& logit : row) logit -= std::log(sum);
    return row;
  };
  std::vector<double> divergences;
  Quality quality;
  for (std::size_t window = 0; window < windows.count(); ++window) {
    const auto tokens = windows.of(window);
    const std::vector<float> ours = LogitsInMemory(model, tokens);
    const std::vector<float> theirs = LogitsInMemory(reference, tokens);
    for (std::size_t position = kContext / 2; position + 1 < kContext; ++position) {
      const std::vector<double> p = logprobs(theirs, position);
      const std::vector<double> q = logprobs(ours, position);
      double kl = 0;
      for (std::size_t i = 0; i < p.size(); ++i) kl += std::exp(p[i]) * (p[i] - q[i]);
      divergences.push_back(kl);
      const auto next = static_cast<std::size_t>(tokens[position + 1].value);
      quality.reference_perplexity -= p[next];
      quality.perplexity -= q[next];
      quality.same_top_fraction +=
          std::ranges::max_element(p) - p.begin() == std::ranges::max_element(q) - q.begin();
    }
  }
  std::ranges::sort(divergences);
  const auto count = static_cast<double>(divergences.size());
  for (const double kl : divergences) quality.mean_kl += kl / count;
  quality.kl_max = divergences.back();
  quality.kl_p50 =
      (divergences[(divergences.size() - 1) / 2] + divergences[divergences.size() / 2]) / 2;
  quality.reference_perplexity = std::exp(quality.reference_perplexity / count);
  quality.perplexity = std::exp(quality.perplexity / count);
  quality.same_top_fraction /= count;
  quality.tokens = divergences.size();
  return quality;
}

void ExpectEqual(const Quality& a, const Quality& b) {
  EXPECT_EQ(a.mean_kl, b.mean_kl);
  EXPECT_EQ(a.kl_p50, b.kl_p50);
  EXPECT_EQ(a.kl_p99, b.kl_p99);
  EXPECT_EQ(a.kl_max, b.kl_max);
  EXPECT_EQ(a.reference_perplexity, b.reference_perplexity);
  EXPECT_EQ(a.perplexity, b.perplexity);
  EXPECT_EQ(a.same_top_fraction, b.same_top_fraction);
  EXPECT_EQ(a.tokens, b.tokens);
}

class KlMeterTest : public testing::Test {
 protected:
  static std::unique_ptr<OfflineModel> Open(const TestFile& file, std::size_t threads = 1,
                                            const std::atomic<bool>* cancelled = nullptr) {
    OfflineModelOptions options;
    options.path = file.path();
    options.context_tokens = kContext;
    options.threads = threads;
    options.cancelled = cancelled;
    return *OfflineModel::Open(options);
  }
  Quality Measure(KlMeterOptions options, std::size_t threads) const {
    KlMeter meter(windows_, std::move(options));
    EXPECT_TRUE(meter.RecordReference(*Open(fine_, threads)).ok());
    return *meter.Measure(*Open(coarse_, threads));
  }

  const TestFile fine_{FloatModelBytes()};
  const TestFile coarse_{Requantized(fine_.bytes(), TensorType::kQ4_0)};
  const TextWindows windows_{kContext, RandomTokens(kContext* kWindows)};
};

TEST_F(KlMeterTest, AModelIsItself) {
  KlMeter meter(windows_);
  const auto model = Open(fine_);
  ASSERT_TRUE(meter.RecordReference(*model).ok());
  const Quality quality = *meter.Measure(*model);
  EXPECT_GE(quality.mean_kl, 0);
  EXPECT_LT(quality.kl_max, 1e-7);
  EXPECT_EQ(quality.perplexity, quality.reference_perplexity);
  EXPECT_EQ(quality.same_top_fraction, 1);
  EXPECT_EQ(quality.tokens, kWindows * (kContext / 2 - 1));
}

// Their logits are minus infinity in both.
TEST_F(KlMeterTest, TokensThatAreNeverWrittenCountForNothing) {
  RandomModelOptions model = FindFixture("gemma4")->model;
  const TestFile whole{RandomModelBytes(model)};
  model.changed_keys["tokenizer.ggml.suppress_tokens"] = GgufValue(GgufArray::OfInt32({3, 200}));
  const TestFile suppressed{RandomModelBytes(model)};
  const auto reference = Open(suppressed);
  KlMeter meter(windows_);
  ASSERT_TRUE(meter.RecordReference(*reference).ok());
  EXPECT_LT(meter.Measure(*reference)->kl_max, 1e-7);
  // A token that only one of them never writes is not passed over.
  KlMeter of_whole(windows_);
  ASSERT_TRUE(of_whole.RecordReference(*Open(whole)).ok());
  EXPECT_TRUE(std::isinf(of_whole.Measure(*reference)->kl_max));
}

TEST_F(KlMeterTest, FindsWhatThePlainSumFinds) {
  const Quality expected = SlowQuality(fine_.bytes(), coarse_.bytes(), windows_);
  ASSERT_GT(expected.mean_kl, 1e-4) << "else nothing is tested";
  const Quality found = Measure({}, 1);
  EXPECT_NEAR(found.mean_kl, expected.mean_kl, 1e-5);
  EXPECT_NEAR(found.kl_max, expected.kl_max, 1e-5);
  EXPECT_NEAR(found.kl_p50, expected.kl_p50, 1e-5);
  EXPECT_GT(found.kl_p99, found.kl_p50);
  EXPECT_LE(found.kl_p99, found.kl_max);
  EXPECT_NEAR(found.perplexity, expected.perplexity, 1e-9 * expected.perplexity);
  EXPECT_NEAR(found.reference_perplexity, expected.reference_perplexity,
              1e-9 * expected.perplexity);
  EXPECT_EQ(found.same_top_fraction, expected.same_top_fraction);
  EXPECT_EQ(found.tokens, expected.tokens);
  EXPECT_NEAR(*MeasurePerplexity(*Open(coarse_), windows_), found.perplexity,
              1e-12 * found.perplexity);
}

TEST_F(KlMeterTest, NeitherThreadsNorTheFileChangeABit) {
  const Quality in_memory = Measure({}, 1);
  ExpectEqual(Measure({}, 2), in_memory);
  const TempFolder folder;
  KlMeter meter(windows_, {.memory_bytes_max = 0, .scratch_directory = folder.path()});
  ASSERT_TRUE(meter.RecordReference(*Open(fine_)).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the file has no name";
  const auto model = Open(coarse_);
  ExpectEqual(*meter.Measure(*model), in_memory);
  ExpectEqual(*meter.Measure(*model), in_memory);
}

TEST_F(KlMeterTest, NeedsAReferenceAndAFolder) {
  const auto model = Open(fine_);
  KlMeter meter(windows_, {.memory_bytes_max = 0, .scratch_directory = "/no/such/folder"});
  EXPECT_EQ(meter.Measure(*model).error().code(), StatusCode::kFailedPrecondition);
  const Status status = meter.RecordReference(*model);
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), testing::HasSubstr("/no/such/folder"));
  EXPECT_EQ(meter.Measure(*model).error().code(), StatusCode::kFailedPrecondition);
}

TEST_F(KlMeterTest, TellsHowFarItIsAndStopsWhenCancelled) {
  std::atomic<bool> cancelled = false;
  KlMeter meter(windows_);
  const auto model = Open(fine_, 1, &cancelled);
  std::vector<std::uint64_t> done;
  const std::uint64_t each = kContext / 2 - 1;
  ASSERT_TRUE(meter
                  .RecordReference(*model,
                                   [&](std::uint64_t now, std::uint64_t total) {
                                     done.push_back(now);
                                     EXPECT_EQ(total, kWindows * each);
                                   })
                  .ok());
  EXPECT_THAT(done, testing::ElementsAre(each, 2 * each, 3 * each));
  const auto quality =
      meter.Measure(*model, [&](std::uint64_t, std::uint64_t) { cancelled = true; });
  ASSERT_FALSE(quality);
  EXPECT_EQ(quality.error().code(), StatusCode::kCancelled);
}

TEST_F(KlMeterTest, WeightsThatAreNoNumbersAreNamed) {
  KlMeter meter(windows_);
  const auto model = Open(fine_);
  ASSERT_TRUE(meter.RecordReference(*model).ok());
  const std::size_t output = model->layout().dense.size() - 1;
  const std::vector<float> nan(model->layout().dense[output].file_bytes / sizeof(float), NAN);
  model->SetDense(output, TensorType::kF32, std::as_bytes(std::span(nan)));
  EXPECT_EQ(meter.Measure(*model).error().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace edgemoe
