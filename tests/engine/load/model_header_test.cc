// SPDX-License-Identifier: Apache-2.0
#include "engine/load/model_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "engine/gguf/gguf_writer.h"
#include "engine/load/model_parts.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

TEST(ReadModelHeader, AFileAndItsBytesSayTheSame) {
  const TempFolder folder;
  const std::string path = folder / "tiny.gguf";
  ASSERT_TRUE(WriteTinyModel(path, {}).ok());
  const std::vector<std::byte> bytes = TinyModelBytes({});
  const auto from_file = ReadModelHeader(path);
  const auto from_bytes = ReadModelHeader(std::span<const std::byte>(bytes));
  ASSERT_TRUE(from_file) << from_file.error().ToString();
  ASSERT_TRUE(from_bytes) << from_bytes.error().ToString();
  ASSERT_EQ(from_file->parts.size(), 1U);
  EXPECT_EQ(from_file->parts[0].path, path);
  EXPECT_EQ(from_file->parts[0].identity.bytes, bytes.size());
  EXPECT_EQ(from_file->file_bytes, bytes.size());
  EXPECT_EQ(from_bytes->file_bytes, bytes.size());
  EXPECT_EQ(from_file->parts[0].header_digest, from_bytes->parts[0].header_digest);
  EXPECT_EQ(from_file->layout.dense.size(), from_bytes->layout.dense.size());
  EXPECT_EQ(from_file->config.layer_count(), 2U);
}

TEST(ReadModelHeader, ErrorsNameTheFile) {
  const TempFolder folder;
  const std::string path = folder / "cut.gguf";
  const std::vector<std::byte> bytes = TinyModelBytes({});
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), 100);
  const auto header = ReadModelHeader(path);
  ASSERT_FALSE(header);
  EXPECT_THAT(header.error().message(), HasSubstr(path));
}

// The bytes of a charsmap come signed or not; what a file does not say stays unset.
TEST(ReadVocabulary, OfEachKind) {
  GgufWriter writer;
  const auto set = [&writer](const char* key, GgufValue value) {
    ASSERT_TRUE(writer.Set("tokenizer.ggml." + std::string(key), std::move(value)).ok());
  };
  const auto read = [&writer] {
    const std::string header = writer.Build().bytes;
    return ReadVocabulary(
        ParseGguf(std::as_bytes(std::span<const char>(header)), header.size()).value());
  };
  set("model", std::string("t5"));
  set("tokens", GgufArray::OfStrings({"a", "b"}));
  EXPECT_THAT(read().error().message(), HasSubstr("tokenizer.ggml.scores"));
  set("scores", GgufArray::OfFloat32({-1.5F, 2}));
  GgufArray charsmap(GgufValueType::kInt8);
  charsmap.AppendPacked("\xff\x01");
  set("precompiled_charsmap", charsmap);
  set("add_space_prefix", true);
  set("remove_extra_whitespaces", false);
  const auto vocabulary = read();
  ASSERT_TRUE(vocabulary) << vocabulary.error().ToString();
  EXPECT_EQ(vocabulary->scores, (std::vector<float>{-1.5F, 2}));
  EXPECT_EQ(vocabulary->precompiled_charsmap, (std::vector<std::uint8_t>{0xFF, 1}));
  EXPECT_EQ(vocabulary->add_space_prefix, true);
  EXPECT_EQ(vocabulary->remove_extra_whitespaces, false);
  EXPECT_EQ(vocabulary->add_bos_token, std::nullopt);
  set("precompiled_charsmap", GgufArray::OfInt32({1, 256}));
  EXPECT_THAT(read().error().message(),
              HasSubstr("tokenizer.ggml.precompiled_charsmap: found 256; accepted: bytes"));
  for (const char* model : {"gpt2", "gemma4"}) {
    set("model", std::string(model));
    EXPECT_THAT(read().error().message(), HasSubstr("tokenizer.ggml.merges"));
  }
}

TEST(LoadDenseWeights, ReadsWhatTheLayoutNames) {
  const TempFolder folder;
  const std::string path = folder / "tiny.gguf";
  ASSERT_TRUE(WriteTinyModel(path, {}).ok());
  const ModelHeader header = *ReadModelHeader(path);
  const auto files = OpenModelFiles(header);
  ASSERT_TRUE(files) << files.error().ToString();
  std::uint64_t last = 0;
  const auto weights = LoadDenseWeights(header.config, header.layout, *files,
                                        [&](std::uint64_t loaded) { last = loaded; });
  ASSERT_TRUE(weights) << weights.error().ToString();
  EXPECT_EQ(last, DenseFileBytes(header.layout));
  EXPECT_EQ(weights->layers.size(), 2U);
  EXPECT_NE(weights->layers[1].matrix(TensorRole::kQuery).bytes, nullptr);
  EXPECT_EQ(weights->layers[1].floats(TensorRole::kQueryBias), nullptr);
  EXPECT_TRUE(OpenTokenizer(header.files.metadata()));
}

}  // namespace
}  // namespace edgemoe
