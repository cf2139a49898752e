// SPDX-License-Identifier: Apache-2.0
#include "download/hub/model_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgemoe {
namespace {

using testing::HasSubstr;

ModelReference Parsed(std::string_view text, std::string_view hub = kDefaultHub) {
  const Result<ModelReference> reference = ParseModelReference(text, hub);
  EXPECT_TRUE(reference) << text << ": " << (reference ? "" : reference.error().message());
  return reference.value_or(ModelReference{});
}

TEST(ModelReferenceTest, NamesRepositories) {
  for (const char* text :
       {"hf.co/Qwen/Qwen3-30B-A3B-GGUF", "huggingface.co/Qwen/Qwen3-30B-A3B-GGUF",
        "https://hf.co/Qwen/Qwen3-30B-A3B-GGUF/", "HF.co/Qwen/Qwen3-30B-A3B-GGUF",
        "https://huggingface.co/Qwen/Qwen3-30B-A3B-GGUF?library=gguf"}) {
    const ModelReference reference = Parsed(text);
    EXPECT_EQ(reference.repository, "Qwen/Qwen3-30B-A3B-GGUF") << text;
    EXPECT_EQ(reference.revision, "main");
    EXPECT_EQ(reference.quant, "");
    EXPECT_EQ(reference.url, "");
  }
  EXPECT_EQ(Parsed("hf.co/org/repo:q4_k_m").quant, "q4_k_m");
  EXPECT_EQ(Parsed("http://127.0.0.1:8080/org/repo:Q8_0", "http://127.0.0.1:8080").quant, "Q8_0");
}

TEST(ModelReferenceTest, UnderstandsAddressesOfPages) {
  const ModelReference file =
      Parsed("https://huggingface.co/org/repo/blob/v1.0/Q4%20K/model-00001-of-00002.gguf");
  EXPECT_EQ(file.repository, "org/repo");
  EXPECT_EQ(file.revision, "v1.0");
  EXPECT_EQ(file.path, "Q4 K/model-00001-of-00002.gguf");
  EXPECT_EQ(Parsed("https://hf.co/org/repo/resolve/main/a.gguf?download=true").path, "a.gguf");
  EXPECT_EQ(Parsed("https://hf.co/org/repo/tree/dev").revision, "dev");
}

TEST(ModelReferenceTest, TakesUrls) {
  const ModelReference reference = Parsed("https://example.com/m/a.gguf?sig=1");
  EXPECT_EQ(reference.url, "https://example.com/m/a.gguf?sig=1");
  EXPECT_EQ(reference.repository, "");
  const std::string sum(64, 'A');
  EXPECT_EQ(Parsed("http://example.com/a.gguf#sha256=" + sum).sha256, std::string(64, 'a'));
}

TEST(ModelReferenceTest, RefusesWhatIsOdd) {
  for (const std::string& text :
       std::vector<std::string>{"",
                                "qwen3",
                                "hf.co/",
                                "hf.co/org",
                                "hf.co/../repo",
                                "hf.co/org/..",
                                "hf.co/org/repo:",
                                "hf.co/org/repo:a/b",
                                "hf.co/org/re po",
                                "file:///etc/a.gguf",
                                "ftp://h/a.gguf",
                                "https://hf.co/org/repo/blob/main/..%2f..%2fa.gguf",
                                "https://hf.co/org/repo/blob/main",
                                "https://hf.co/org/repo/blob/main/../a.gguf",
                                "https://hf.co/org/repo/blob/main/a.txt",
                                "https://example.com",
                                "https://example.com/",
                                "https:///a.gguf",
                                "https://example.com/..%2fa.gguf",
                                "https://example.com/%2e%2e.gguf",
                                "https://example.com/.a.gguf",
                                "https://example.com/a.bin",
                                "https://example.com/a.gguf#sha256=12",
                                "https://example.com/a.gguf#other",
                                "https://example.com/a%00.gguf",
                                "https://example.com/a%zz.gguf",
                                "https://example.com/" + std::string(300, 'a') + ".gguf",
                                "hf.co/a\n/b",
                                std::string(5000, 'a')}) {
    const Result<ModelReference> reference = ParseModelReference(text, kDefaultHub);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().code(), StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(reference.error().field(), "model") << text;
  }
  EXPECT_THAT(ParseModelReference("qwen3", kDefaultHub).error().message(),
              HasSubstr("hf.co/ORG/REPO:QUANT"));
}

}  // namespace
}  // namespace edgemoe
