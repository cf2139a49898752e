// SPDX-License-Identifier: Apache-2.0
//
// The greedy tokens of llama.cpp on the same file, as record.py recorded them: the demo model, and
// what edgemoe-quantize makes of it. A different token is accepted only where llama.cpp's own two
// best log-probabilities lie within kNearTie: the text then goes on with llama.cpp's token.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/io/mapped_file.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/models/requantized.h"

namespace edgemoe {
namespace {

constexpr double kNearTie = 0.02;

struct Agreement {
  int same = 0;
  int near_ties = 0;
  int different = 0;
};

std::vector<TokenId> TokensOf(const nlohmann::json& ids) {
  std::vector<TokenId> tokens;
  for (const auto& id : ids) tokens.push_back(TokenId{id.get<std::int32_t>()});
  return tokens;
}

std::int32_t BestAllowed(std::span<const float> logits, const std::vector<TokenId>& banned) {
  std::int32_t best = -1;
  for (std::int32_t token = 0; token < static_cast<std::int32_t>(logits.size()); ++token) {
    if (std::ranges::find(banned, TokenId{token}) != banned.end()) continue;
    if (best < 0 ||
        logits[static_cast<std::size_t>(token)] > logits[static_cast<std::size_t>(best)])
      best = token;
  }
  return best;
}

void Follow(LoadedModel& model, const nlohmann::json& run, const std::vector<TokenId>& banned,
            Agreement* agreement) {
  const std::size_t vocabulary = model.config().vocabulary_size;
  SequenceState sequence(model.state());
  std::vector<TokenId> next = TokensOf(run["prompt_tokens"]);
  std::uint32_t position = 0;
  for (const auto& step : run["steps"]) {
    const auto logits = model.Run(sequence, position, next);
    ASSERT_TRUE(logits) << logits.error().ToString();
    const auto last = std::span<const float>(*logits).last(vocabulary);
    const auto expected = step[0].get<std::int32_t>();
    const std::int32_t found = BestAllowed(last, banned);
    if (found == expected) {
      ++agreement->same;
    } else if (std::abs(step[1].get<double>() - step[2].get<double>()) <= kNearTie) {
      ++agreement->near_ties;
    } else {
      ++agreement->different;
      ADD_FAILURE() << "prompt " << run["prompt"] << ", position " << position + next.size()
                    << ": token " << found << ", llama.cpp has " << expected
                    << " with log-probabilities " << step[1] << " and " << step[2];
    }
    position += static_cast<std::uint32_t>(next.size());
    next = {TokenId{expected}};
  }
}

void Compare(std::span<const std::byte> file, const std::string& recording) {
  const std::filesystem::path root = EDGEMOE_SOURCE_DIR;
  auto model = LoadedModel::Load(file, {.thread_count = 2});
  ASSERT_TRUE(model) << model.error().ToString();
  std::ifstream stream(root / "tests/golden" / recording);
  const nlohmann::json recorded = nlohmann::json::parse(stream);
  ASSERT_GE(recorded["runs"].size(), 8U);
  Agreement agreement;
  for (const auto& run : recorded["runs"]) {
    ASSERT_EQ(run["steps"].size(), 128U);
    Follow(**model, run, TokensOf(recorded["banned"]), &agreement);
  }
  std::printf("%s: %d tokens the same, %d differ at near ties, %d differ\n", recording.c_str(),
              agreement.same, agreement.near_ties, agreement.different);
}

MappedFile Demo() {
  return MappedFile::Open(EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf").value();
}

TEST(GreedyTokens, DemoQ8) { Compare(Demo().bytes(), "edgemoe-demo-q8_0.json"); }

struct Remade {
  TensorType type;
  const char* recording;
};
class RemadeDemo : public testing::TestWithParam<Remade> {};

TEST_P(RemadeDemo, GivesTheRecordedTokens) {
  Compare(Requantized(Demo().bytes(), GetParam().type), GetParam().recording);
}

INSTANTIATE_TEST_SUITE_P(GreedyTokens, RemadeDemo,
                         testing::Values(Remade{TensorType::kF16, "edgemoe-demo-f16.json"},
                                         Remade{TensorType::kQ4_0, "edgemoe-demo-q4_0.json"}),
                         [](const auto& one) {
                           return std::string(TraitsOf(one.param.type).name);
                         });

}  // namespace
}  // namespace edgemoe
