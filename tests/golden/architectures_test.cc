// SPDX-License-Identifier: Apache-2.0
//
// Each fixture's answers against llama.cpp's, as record_models.py recorded them. sensitivity.md has
// the proof that these files can fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/checksum.h"
#include "engine/model/arch/architecture.h"
#include "tests/golden/fixtures.h"
#include "tests/support/models/architecture_keys.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

constexpr double kF32Tolerance = 1e-5;
constexpr double kQuantisedTolerance = 1e-3;

using LogProbabilities = std::vector<double>;  // [vocabulary]

// Of one model: for each prompt, log-probabilities at its recorded positions.
struct Recording {
  std::string checksum;
  std::vector<std::vector<LogProbabilities>> prompts;
  std::vector<double> own_distance;  // llama.cpp's from itself, a prompt
};

struct Golden {
  std::vector<std::vector<TokenId>> prompts;
  std::vector<std::vector<std::size_t>> positions;
  nlohmann::json models;
  double step = 0;
};

const Golden& ReadGolden() {
  static const Golden golden = [] {
    std::ifstream stream(EDGEMOE_SOURCE_DIR "/tests/golden/architectures.json");
    const nlohmann::json json = nlohmann::json::parse(stream);
    Golden read;
    for (const auto& prompt : json["prompts"]) {
      std::vector<TokenId>& tokens = read.prompts.emplace_back();
      for (const auto& token : prompt) tokens.push_back(TokenId{token.get<std::int32_t>()});
    }
    read.positions = json["positions"].get<std::vector<std::vector<std::size_t>>>();
    read.models = json["models"];
    read.step = json["step"].get<double>();
    return read;
  }();
  return golden;
}

std::vector<std::uint8_t> DecodeBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(c));
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> bit_count));
  }
  return bytes;
}

// Logits, or log-probabilities that are rounded: without this the rounding of a row's sum, 1e-5,
// would be part of its divergence.
template <class Real>
LogProbabilities Normalised(std::span<const Real> logits) {
  const double most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const Real x : logits) sum += std::exp(x - most);
  LogProbabilities row;
  for (const Real x : logits) row.push_back(x - most - std::log(sum));
  return row;
}

Recording ReadRecording(const std::string& name) {
  const Golden& golden = ReadGolden();
  const auto model = std::ranges::find_if(
      golden.models, [&](const nlohmann::json& m) { return m["name"] == name; });
  if (model == golden.models.end()) return {};
  Recording recording;
  recording.checksum = (*model)["checksum"];
  recording.own_distance = (*model)["own_distance"].get<std::vector<double>>();
  const auto bytes = DecodeBase64((*model)["log_probabilities"].get<std::string>());
  std::size_t next = 0;
  for (const auto& positions : golden.positions) {
    auto& prompt = recording.prompts.emplace_back();
    for (std::size_t i = 0; i < positions.size(); ++i) {
      LogProbabilities row;
      for (std::size_t token = 0; token < kTinyVocabularySize; ++token, next += 2)
        row.push_back(-golden.step * (bytes.at(next) | bytes.at(next + 1) << 8));
      prompt.push_back(Normalised(std::span<const double>(row)));
    }
  }
  EXPECT_EQ(next, bytes.size());
  return recording;
}

// The engine's answers at the recorded positions of a prompt.
std::vector<LogProbabilities> Answer(LoadedModel& model, std::size_t prompt) {
  const Golden& golden = ReadGolden();
  SequenceState sequence(model.state());
  const auto logits = model.Run(sequence, 0, golden.prompts[prompt]);
  if (!logits) {
    ADD_FAILURE() << logits.error().ToString();
    return {};
  }
  std::vector<LogProbabilities> rows;
  for (const std::size_t position : golden.positions[prompt])
    rows.push_back(Normalised(std::span<const float>(*logits).subspan(
        position * kTinyVocabularySize, kTinyVocabularySize)));
  return rows;
}

double Divergence(const LogProbabilities& theirs, const LogProbabilities& ours) {
  double kl = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) kl += std::exp(theirs[i]) * (theirs[i] - ours[i]);
  return kl;
}

double MedianDivergence(const std::vector<LogProbabilities>& theirs,
                        const std::vector<LogProbabilities>& ours) {
  std::vector<double> all;
  for (std::size_t i = 0; i < ours.size(); ++i) all.push_back(Divergence(theirs[i], ours[i]));
  if (all.empty()) return INFINITY;
  std::ranges::sort(all);
  return (all[(all.size() - 1) / 2] + all[all.size() / 2]) / 2;
}

std::size_t Best(const LogProbabilities& row) {
  return static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
}

// Positions where our most likely token lies below llama.cpp's by more than `tie` in its answer.
std::size_t DifferentTokens(const std::vector<LogProbabilities>& theirs,
                            const std::vector<LogProbabilities>& ours, double tie) {
  std::size_t different = 0;
  for (std::size_t i = 0; i < ours.size(); ++i)
    different += theirs[i][Best(theirs[i])] - theirs[i][Best(ours[i])] > tie ? 1 : 0;
  return different;
}

std::unique_ptr<LoadedModel> Load(std::span<const std::byte> bytes) {
  auto model = LoadedModel::Load(bytes, {});
  if (model) return std::move(*model);
  ADD_FAILURE() << model.error().ToString();
  return nullptr;
}

class ArchitecturesTest : public testing::TestWithParam<std::string> {
 protected:
  const Fixture& fixture() const { return *FindFixture(GetParam()); }
  bool quantised() const {
    return fixture().model.type_of != nullptr || !fixture().model.tensor_types.empty();
  }
};

TEST_P(ArchitecturesTest, AnswersAsLlamaCpp) {
  const Recording recording = ReadRecording(GetParam());
  ASSERT_FALSE(recording.prompts.empty()) << "record_models.py has not recorded it";
  const std::vector<std::byte> bytes = RandomModelBytes(fixture().model);
  ASSERT_EQ(ChecksumText(Checksum64Of(bytes)), recording.checksum)
      << "not the file that was recorded: the generator has changed, or rounds otherwise here";
  const auto model = Load(bytes);
  ASSERT_NE(model, nullptr);
  for (std::size_t prompt = 0; prompt < recording.prompts.size(); ++prompt) {
    SCOPED_TRACE(std::to_string(ReadGolden().prompts[prompt].size()) + " tokens");
    const double tolerance = quantised()
                                 ? std::max(kQuantisedTolerance, 2 * recording.own_distance[prompt])
                                 : kF32Tolerance;
    const auto ours = Answer(*model, prompt);
    const double kl = MedianDivergence(recording.prompts[prompt], ours);
    EXPECT_LT(kl, tolerance);
    // A divergence of d comes from log-probabilities that differ by about sqrt(2 d).
    EXPECT_EQ(DifferentTokens(recording.prompts[prompt], ours, 3 * std::sqrt(2 * tolerance)), 0U);
    std::printf("%s, %zu tokens: median KL %.1e of %.1e\n", GetParam().c_str(),
                ReadGolden().prompts[prompt].size(), kl, tolerance);
  }
}

// What sensitivity.md has of llama.cpp, of the engine: it reads each kind of tensor, and what it
// reads matters.
TEST_P(ArchitecturesTest, SeesEachKindOfTensor) {
  if (quantised()) return;
  constexpr std::size_t kPrompt = 2;  // long enough for what decides where to look
  const Recording recording = ReadRecording(GetParam());
  ASSERT_FALSE(recording.prompts.empty());
  std::map<TensorRole, std::string> last;  // of each role
  for (const RandomTensor& tensor : RandomModelTensors(fixture().model))
    last[tensor.role] = tensor.name;
  // Of contexts up to the original one: those here are longer.
  last.erase(TensorRole::kRopeShortFactors);
  for (const auto& [role, name] : last) {
    RandomModelOptions altered = fixture().model;
    altered.altered_tensor = name;
    const std::vector<std::byte> bytes = RandomModelBytes(altered);
    const auto model = Load(bytes);
    ASSERT_NE(model, nullptr);
    EXPECT_GT(MedianDivergence(recording.prompts[kPrompt], Answer(*model, kPrompt)),
              100 * kF32Tolerance)
        << name;
  }
}

TEST_P(ArchitecturesTest, KeysGiveTheConfigBack) {
  if (quantised()) return;  // its keys are those of the file with floats
  const std::vector<std::byte> bytes = RandomModelBytes(fixture().model);
  const auto file = ParseGguf(bytes, bytes.size());
  ASSERT_TRUE(file);
  const auto config = ReadModelConfig(*file);
  ASSERT_TRUE(config) << config.error().ToString();
  const auto written = ArchitectureKeys(fixture().model.config);
  const auto again = ArchitectureKeys(*config);
  ASSERT_EQ(written.size(), again.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    EXPECT_EQ(written[i].key, again[i].key);
    EXPECT_EQ(written[i].value, again[i].value) << written[i].key;
  }
}

// A sanitizer, under which most of the time goes into writing quantised weights, sees every third.
std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < Fixtures().size(); i += kSanitized ? 3 : 1)
    names.push_back(Fixtures()[i].name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ArchitecturesTest, testing::ValuesIn(Names()),
                         [](const auto& of) {
                           std::string name = of.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace edgemoe
