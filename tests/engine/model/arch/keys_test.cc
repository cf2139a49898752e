// SPDX-License-Identifier: Apache-2.0
//
// Files of every architecture in which one key is missing, or says what no model can be: either the
// model answers nevertheless, or the error names the key, what was found and what is accepted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tests/golden/fixtures.h"
#include "tests/support/models/changed_model.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kMax31 = std::numeric_limits<std::int32_t>::max();

GgufArray FlagArray(const std::string& bytes) {
  GgufArray array(GgufValueType::kBool);
  array.AppendPacked(bytes);
  return array;
}

// What a key may say that no writer meant. An array has `layer_count` elements.
std::vector<GgufValue> OddValues(std::size_t layer_count) {
  const auto numbers = [&](std::int32_t number) {
    return GgufArray::OfInt32(std::vector<std::int32_t>(layer_count, number));
  };
  std::vector<std::int32_t> different(layer_count, 1);
  different.back() = 2;
  return {std::uint32_t{0},
          std::uint32_t{1},
          std::uint32_t{3},
          std::uint32_t{1000},
          std::uint32_t{1u << 24},
          kMax31,
          UINT32_MAX,
          UINT64_MAX,
          std::int32_t{-1},
          std::numeric_limits<std::int64_t>::min(),
          0.0F,
          -1.0F,
          1e-30F,
          1.0F,
          1e30F,
          1e300,
          std::nanf(""),
          std::numeric_limits<float>::infinity(),
          true,
          false,
          std::string(),
          std::string("yarn"),
          std::string("\x01 and \xff no text"),
          numbers(0),
          numbers(1),
          numbers(-1),
          numbers(std::numeric_limits<std::int32_t>::max()),
          GgufArray::OfInt32({}),
          GgufArray::OfInt32(different),
          GgufArray::OfStrings({"a"}),
          FlagArray(std::string(layer_count, '\0')),
          FlagArray(std::string(layer_count, '\1'))};
}

// The keys that the fixtures of any architecture have, and those that some files have beside them:
// without the architecture's name.
const std::set<std::string>& AllKeys() {
  static const std::set<std::string> all = [] {
    std::set<std::string> names = {"attention.causal",
                                   "attention.recurrent_layers",
                                   "attention.sliding_window",
                                   "expert_gating_func",
                                   "expert_group_count",
                                   "expert_group_used_count",
                                   "expert_shared_count",
                                   "expert_shared_feed_forward_length",
                                   "expert_weights_norm",
                                   "expert_weights_scale",
                                   "leading_dense_block_count",
                                   "nextn_predict_layers",
                                   "rope.dimension_sections",
                                   "rope.scale_linear",
                                   "rope.scaling.attn_factor",
                                   "rope.scaling.factor",
                                   "rope.scaling.finetuned",
                                   "rope.scaling.original_context_length",
                                   "rope.scaling.type",
                                   "rope.scaling.yarn_beta_fast",
                                   "rope.scaling.yarn_beta_slow",
                                   "rope.scaling.yarn_ext_factor",
                                   "rope.scaling.yarn_log_multiplier",
                                   "vocab_size"};
    for (const Fixture& fixture : Fixtures()) {
      const std::string prefix = fixture.model.config.architecture + ".";
      for (const GgufEntry& entry : RandomModelKeys(fixture.model))
        if (entry.key.starts_with(prefix)) names.insert(entry.key.substr(prefix.size()));
    }
    return names;
  }();
  return all;
}

class ArchitectureKeys : public testing::TestWithParam<std::string> {
 protected:
  std::string KeyOf(std::string_view name) const { return GetParam() + "." + std::string(name); }

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

// The key itself is named, or another key or a tensor that does not go with it, with what was found
// and what is accepted.
void ExpectClear(const Status& status, const std::string& key) {
  const std::string& message = status.message();
  EXPECT_TRUE(status.code() == StatusCode::kInvalidArgument ||
              status.code() == StatusCode::kFailedPrecondition ||
              status.code() == StatusCode::kNotFound || status.code() == StatusCode::kUnimplemented)
      << status.ToString();
  if (message.starts_with("tensor ")) {
    EXPECT_THAT(message, testing::ContainsRegex("expected|not part of a model")) << key;
  } else if (message.find(key) == std::string::npos) {
    EXPECT_THAT(message, testing::ContainsRegex("^[a-z0-9-]+\\.[a-z_.]+: found .*; accepted: |"
                                                "^key .* not in the file's metadata; expected "))
        << key;
  }
}

// What can be understood can be answered.
void ExpectClearOrAnswered(const ModelParts& parts, const std::vector<std::byte>& file,
                           const std::string& key) {
  const Status status = Understand(FileOf(parts));
  if (!status.ok()) return ExpectClear(status, key);
  const auto logits = Answer(FileOf(parts, file), 3);
  EXPECT_TRUE(logits) << logits.error().ToString();
}

TEST_P(ArchitectureKeys, MissingOnes) {
  ForEachFixture([](const RandomModelOptions& model) {
    const std::vector<std::byte> file = RandomModelBytes(model);
    for (const GgufEntry& entry : RandomModelKeys(model)) {
      SCOPED_TRACE(entry.key);
      ModelParts parts(model);
      parts.RemoveKey(entry.key);
      ExpectClearOrAnswered(parts, file, entry.key);
    }
  });
}

// Keys that a model's files usually lack: of the architecture's first model alone. A sanitizer,
// which makes an answer many times as long, sees a quarter of the values with each key, others with
// the next.
TEST_P(ArchitectureKeys, OddValues) {
  const RandomModelOptions& first = PlainFixtures(GetParam()).front()->model;
  ForEachFixture([&](const RandomModelOptions& model) {
    const std::vector<std::byte> file = RandomModelBytes(model);
    const ModelParts whole(model);
    const std::vector<GgufValue> values = OddValues(model.config.layer_count());
    const std::size_t step = kSanitized ? 4 : 1;
    std::size_t begin = 0;
    for (const std::string& name : AllKeys()) {
      if (&model != &first && whole.FindKey(KeyOf(name)) == nullptr) continue;
      begin = (begin + 1) % step;
      for (std::size_t i = begin; i < values.size(); i += step) {
        const GgufValue& value = values[i];
        SCOPED_TRACE(KeyOf(name) + ": " + DescribeGgufValue(value));
        ModelParts parts = whole;
        parts.SetKey(KeyOf(name), value);
        ExpectClearOrAnswered(parts, file, KeyOf(name));
      }
    }
  });
}

// No text is a number, a flag or an array: the key itself is named, and what it would take.
TEST_P(ArchitectureKeys, TextInPlaceOfAnotherType) {
  ForEachFixture([](const RandomModelOptions& model) {
    for (const GgufEntry& entry : RandomModelKeys(model)) {
      if (std::holds_alternative<std::string>(entry.value)) continue;
      ModelParts parts(model);
      parts.SetKey(entry.key, std::string("text"));
      const Status status = Understand(FileOf(parts));
      if (status.ok()) continue;  // it is not looked at
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
      EXPECT_THAT(status.message(), HasSubstr(entry.key));
      EXPECT_THAT(status.message(), HasSubstr("found string \"text\"; expected "));
    }
  });
}

TEST_P(ArchitectureKeys, MoreExpertsUsedThanThereAre) {
  ForEachFixture([this](const RandomModelOptions& model) {
    if (model.config.expert_count == 0) return;
    ModelParts parts(model);
    parts.SetKey(KeyOf("expert_used_count"), model.config.expert_count + 1);
    const Status status = Understand(FileOf(parts));
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), KeyOf("expert_used_count") + ": found 9; accepted: [1, 8]");
  });
}

TEST_P(ArchitectureKeys, HeadsAndGroupsThatDoNotDivide) {
  ForEachFixture([this](const RandomModelOptions& model) {
    for (const auto& [name, number] : std::initializer_list<std::pair<const char*, std::uint32_t>>{
             {"attention.head_count_kv", 3}, {"expert_group_count", 3}, {"ssm.group_count", 5}}) {
      ModelParts parts(model);
      if (parts.FindKey(KeyOf(name)) == nullptr) continue;
      parts.SetKey(KeyOf(name), number);
      const Status status = Understand(FileOf(parts));
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << name;
      EXPECT_THAT(status.message(), HasSubstr("accepted: ")) << name;
      EXPECT_THAT(status.message(), testing::ContainsRegex(std::string(name) + "|ssm.time_step"));
    }
  });
}

// A window that no context fills is none.
TEST_P(ArchitectureKeys, WindowLongerThanTheContext) {
  ForEachFixture([this](const RandomModelOptions& model) {
    const std::string key = KeyOf("attention.sliding_window");
    ModelParts parts(model);
    if (parts.FindKey(key) == nullptr) return;
    const std::vector<std::byte> file = RandomModelBytes(model);
    const auto answer = [&](std::uint32_t window) {
      parts.SetKey(key, window);
      const auto logits = Answer(FileOf(parts, file), 100);
      EXPECT_TRUE(logits) << logits.error().ToString();
      return *logits;
    };
    const std::uint32_t context = model.config.context_length;
    const std::vector<float> all = answer(context);
    EXPECT_EQ(answer(context + 1), all);
    EXPECT_EQ(answer(kContextLengthMax), all);
    EXPECT_NE(answer(12), all);
  });
}

// The original context decides which factors a sequence is turned by: the longest that may be run
// is compared with it, not the prompt.
TEST_P(ArchitectureKeys, LongAndShortFactorsAreChosenByTheContext) {
  ForEachFixture([this](const RandomModelOptions& model) {
    const AttentionConfig* const attention = model.config.layers[0].mixer_as<AttentionConfig>();
    if (attention == nullptr || attention->rope.scaling != RopeScaling::kLongRope) return;
    const std::vector<std::byte> file = RandomModelBytes(model);
    ModelParts parts(model);
    const auto answer = [&](std::uint32_t original) {
      parts.SetKey(KeyOf("rope.scaling.original_context_length"), original);
      const auto logits = Answer(FileOf(parts, file), 20);
      EXPECT_TRUE(logits) << logits.error().ToString();
      return *logits;
    };
    const std::uint32_t context = model.config.context_length;
    const std::vector<float> as_short = answer(context);
    EXPECT_EQ(answer(2 * context), as_short);
    EXPECT_NE(answer(context - 1), as_short);
    EXPECT_EQ(answer(context - 1), answer(1));
    parts.RemoveKey(KeyOf("rope.scaling.original_context_length"));
    EXPECT_EQ(*Answer(FileOf(parts, file), 20), as_short) << "the context is the original one";
  });
}

TEST_P(ArchitectureKeys, TokensOutsideTheVocabulary) {
  ForEachFixture([](const RandomModelOptions& model) {
    for (const char* const name :
         {"bos_token_id", "eos_token_id", "eot_token_id", "unknown_token_id", "padding_token_id"}) {
      const std::string key = std::string("tokenizer.ggml.") + name;
      ModelParts parts(model);
      parts.SetKey(key, model.config.vocabulary_size);
      EXPECT_EQ(Understand(FileOf(parts)), InvalidArgumentError(key + ": 263 is not in [0, 262]"));
      parts.SetKey(key, std::int32_t{-1});
      EXPECT_THAT(Understand(FileOf(parts)).message(), HasSubstr(key));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, ArchitectureKeys, testing::ValuesIn(ArchitectureNames()),
                         [](const auto& test) { return TestNameOf(test.param); });

}  // namespace
}  // namespace edgemoe
