// SPDX-License-Identifier: Apache-2.0
//
// The demo model's embeddings, held against those that llama.cpp gives on the same file, as
// record_embeddings.py recorded them, to six digits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tests/engine/serving/listener.h"

namespace edgemoe {
namespace {

// Both round activations to Q8_0 and sum in another order: what one rounding more or less does.
constexpr double kCosineLeast = 0.9999;
constexpr double kDifferenceMost = 0.004;  // of vectors of length 1

struct Distance {
  double cosine = 0;
  double largest_difference = 0;
};

Distance Compare(const std::vector<float>& ours, const std::vector<double>& theirs) {
  double product = 0;
  double our_squares = 0;
  double their_squares = 0;
  Distance distance;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double value = static_cast<double>(ours[i]);
    product += value * theirs[i];
    our_squares += value * value;
    their_squares += theirs[i] * theirs[i];
    distance.largest_difference =
        std::max(distance.largest_difference, std::abs(value - theirs[i]));
  }
  distance.cosine = product / std::sqrt(our_squares * their_squares);
  return distance;
}

TEST(Embeddings, DemoQ8IsAsLlamaCppHasIt) {
  std::ifstream stream(EDGEMOE_SOURCE_DIR "/tests/golden/edgemoe-demo-embeddings.json");
  const nlohmann::json recorded = nlohmann::json::parse(stream);
  ASSERT_EQ(recorded.size(), 6U);
  EngineOptions options;
  options.model_path = EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf";
  options.context_tokens = 512;
  options.threads = 2;
  const auto engine = Engine::Open(options);
  ASSERT_TRUE(engine) << engine.error().ToString();
  for (const Pooling pooling : {Pooling::kMean, Pooling::kLast}) {
    EmbedRequest request;
    request.parameters.pooling = pooling;
    for (const auto& row : recorded) request.texts.push_back(row["text"].get<std::string>());
    auto listener = std::make_shared<Listener>();
    ASSERT_TRUE((*engine)->Embed(std::move(request), Listener::SinkFor(listener)));
    const Answer answer = listener->Wait();
    ASSERT_EQ(answer.reason(), FinishReason::kMaxTokens) << answer.status().ToString();
    ASSERT_EQ(answer.embeddings.size(), recorded.size());
    const char* const name = pooling == Pooling::kMean ? "mean" : "last";
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      const auto theirs = recorded[i][name].get<std::vector<double>>();
      ASSERT_EQ(answer.embeddings[i].values.size(), theirs.size());
      EXPECT_EQ(answer.embeddings[i].tokens, recorded[i]["tokens"].get<std::uint32_t>());
      const Distance distance = Compare(answer.embeddings[i].values, theirs);
      EXPECT_GE(distance.cosine, kCosineLeast) << name << " " << recorded[i]["text"];
      EXPECT_LE(distance.largest_difference, kDifferenceMost) << name << " " << recorded[i]["text"];
      std::printf("%s of %u tokens: cosine %.6f, largest difference %.5f\n", name,
                  answer.embeddings[i].tokens, distance.cosine, distance.largest_difference);
    }
  }
}

}  // namespace
}  // namespace edgemoe
