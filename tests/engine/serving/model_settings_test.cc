// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/model_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/gguf/gguf_writer.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ModelSettingsTest : public testing::Test {
 protected:
  void SetInFile(const char* name, GgufValue value) {
    ASSERT_TRUE(writer_.Set("general.sampling." + std::string(name), std::move(value)).ok());
  }

  Status Choose() {
    const std::string header = writer_.Build().bytes;
    const auto file = ParseGguf(std::as_bytes(std::span<const char>(header)), header.size());
    description_ = ModelDescription();
    description_.context_length = 1000;
    description_.architecture = "tiny";
    return ChooseSettings(file.value(), options_, description_);
  }

  // "0.6 of the file".
  std::string Told(const std::string& option) const {
    for (const ModelSetting& setting : description_.settings) {
      if (setting.option != option) continue;
      switch (setting.source) {
        case SettingSource::kBuiltIn: return setting.json + " of ours";
        case SettingSource::kFile: return setting.json + " of the file";
        case SettingSource::kConfiguration: return setting.json + " of the options";
      }
    }
    return "not told";
  }

  GgufWriter writer_;
  EngineOptions options_;
  ModelDescription description_;
};

TEST_F(ModelSettingsTest, OptionsComeBeforeTheFileAndTheFileBeforeOurs) {
  SetInFile("temp", 0.6F);
  SetInFile("top_k", std::int32_t{20});
  SetInFile("penalty_repeat", 1.05F);
  SetInFile("mirostat", std::int32_t{2});
  options_.top_k = 30;
  options_.system_prompt = "Be \"brief\".";
  options_.context_tokens = 512;
  ASSERT_EQ(Choose(), OkStatus());
  EXPECT_EQ(description_.sampling.temperature, 0.6F);
  EXPECT_EQ(description_.sampling.top_k, 30U);
  EXPECT_EQ(description_.sampling.top_p, 0.95F);
  EXPECT_EQ(description_.sampling.repetition_penalty, 1.05F);
  EXPECT_EQ(Told("temperature"), "0.6 of the file");
  EXPECT_EQ(Told("top_k"), "30 of the options");
  EXPECT_EQ(Told("top_p"), "0.95 of ours");
  EXPECT_EQ(Told("repetition_penalty"), "1.05 of the file");
  EXPECT_EQ(Told("presence_penalty"), "0 of ours");
  EXPECT_EQ(Told("system_prompt"), "\"Be \\\"brief\\\".\" of the options");
  EXPECT_EQ(Told("template_file"), "\"\" of ours");
  EXPECT_EQ(Told("context_tokens"), "512 of the options");
}

TEST_F(ModelSettingsTest, WhatLlamaCppWritesForNoLimitIsOurs) {
  SetInFile("top_k", std::int32_t{-1});
  SetInFile("penalty_last_n", std::int32_t{-1});
  SetInFile("temp", std::int32_t{1});
  ASSERT_EQ(Choose(), OkStatus());
  EXPECT_EQ(description_.sampling.top_k, 0U);
  EXPECT_EQ(description_.sampling.penalty_last_n, 1000U) << "the context";
  EXPECT_EQ(description_.sampling.temperature, 1.0F);
  EXPECT_EQ(Told("context_tokens"), "1000 of the file");
}

TEST_F(ModelSettingsTest, PoolingIsAsTheFileSays) {
  const auto told = [this](std::optional<std::uint32_t> type) {
    writer_ = GgufWriter();
    if (type) {
      EXPECT_TRUE(writer_.Set("tiny.pooling_type", *type).ok());
    }
    EXPECT_EQ(Choose(), OkStatus());
    return Told("pooling");
  };
  EXPECT_EQ(told(std::nullopt), "\"mean\" of ours");
  EXPECT_EQ(told(0), "\"mean\" of ours") << "llama.cpp's none";
  EXPECT_EQ(told(1), "\"mean\" of the file");
  EXPECT_EQ(told(2), "\"first\" of the file");
  EXPECT_EQ(told(3), "\"last\" of the file");
  EXPECT_EQ(description_.pooling, Pooling::kLast);
  EXPECT_EQ(told(4), "\"mean\" of ours") << "a rank is no vector";
  writer_ = GgufWriter();
  ASSERT_TRUE(writer_.Set("tiny.pooling_type", std::string("mean")).ok());
  EXPECT_THAT(Choose().message(), HasSubstr("tiny.pooling_type"));
}

TEST_F(ModelSettingsTest, ABadValueOfTheFileIsRefusedUnlessTheOptionsSayAnother) {
  SetInFile("top_p", 1.5F);
  const Status refused = Choose();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.message(), StartsWith("general.sampling.top_p: found f32 1.5"));
  EXPECT_THAT(refused.message(), HasSubstr("a number in (0, 1]"));
  options_.top_p = 1;
  EXPECT_EQ(Choose(), OkStatus());
  EXPECT_EQ(description_.sampling.top_p, 1.0F);
}

TEST_F(ModelSettingsTest, ValuesOfOtherKindsAreRefused) {
  const std::vector<std::pair<const char*, GgufValue>> bad = {
      {"temp", std::string("hot")},
      {"temp", std::numeric_limits<float>::quiet_NaN()},
      {"temp", true},
      {"temp", -1.0F},
      {"top_k", 1.5F},
      {"min_p", GgufArray::OfFloat32({0.5F})},
      {"penalty_last_n", std::int32_t{-2}},
      {"penalty_repeat", 0.0F},
  };
  for (const auto& [name, value] : bad) {
    writer_ = GgufWriter();
    SetInFile(name, value);
    EXPECT_EQ(Choose().code(), StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(Choose().message(), StartsWith("general.sampling." + std::string(name)));
  }
}

class ChatSettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.model_path = folder_ / "tiny.gguf";
    ASSERT_TRUE(WriteTinyModel(options_.model_path, {}).ok());
    options_.threads = 1;
    options_.template_file = folder_ / "chat.jinja";
  }
  void WriteTemplate(const std::string& text) const {
    std::ofstream(options_.template_file) << text;
  }

  const TempFolder folder_;
  EngineOptions options_;
};

TEST_F(ChatSettingsTest, TheTemplateOfAFileAndTheSystemPromptAreUsed) {
  WriteTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");
  options_.system_prompt = "Short.";
  const auto engine = Engine::Open(options_);
  ASSERT_TRUE(engine) << engine.error().ToString();
  const std::vector<ChatMessage> question = {{.role = "user", .content = "Why?"}};
  EXPECT_EQ((*engine)->ApplyTemplate(question, {}).value(), "<system>Short.<user>Why?");
  const std::vector<ChatMessage> own = {{.role = "system", .content = "Long."}, question[0]};
  EXPECT_EQ((*engine)->ApplyTemplate(own, {}).value(), "<system>Long.<user>Why?");
}

TEST_F(ChatSettingsTest, ABadTemplateFileIsRefusedBeforeLoading) {
  std::uint64_t bytes_loaded = 0;
  const auto refusal = [&] {
    const auto engine =
        Engine::Open(options_, [&](std::uint64_t bytes, std::uint64_t) { bytes_loaded += bytes; });
    return engine ? OkStatus() : engine.error();
  };
  EXPECT_EQ(refusal().code(), StatusCode::kNotFound);
  EXPECT_EQ(refusal().field(), "template_file");
  for (const std::string& text :
       {std::string(), std::string("{% for %}"), std::string(std::size_t{1} << 21, 'a')}) {
    WriteTemplate(text);
    const Status status = refusal();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
    EXPECT_EQ(status.field(), "template_file");
    EXPECT_THAT(status.message(), HasSubstr("chat.jinja"));
  }
  EXPECT_EQ(bytes_loaded, 0U);
}

}  // namespace
}  // namespace edgemoe
