// SPDX-License-Identifier: Apache-2.0
//
// The reader on the model that comes with the project, and on the file that it was made from where
// that is there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "engine/base/unique_fd.h"
#include "engine/gguf/gguf_reader.h"

namespace edgemoe {
namespace {

Result<GgufFile> Open(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Failure(NotFoundError(path));
  const std::uint64_t bytes = std::filesystem::file_size(path);
  void* mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (mapped == MAP_FAILED) return Failure(UnavailableError(path));
  Result<GgufFile> file = ParseGguf({static_cast<const std::byte*>(mapped), bytes}, bytes);
  ::munmap(mapped, bytes);
  return file;
}

void ExpectDemo(const GgufFile& file, TensorType matrices) {
  EXPECT_EQ(file.tensors().size(), 74u);
  EXPECT_EQ(file.GetString("general.architecture"), "qwen3moe");
  EXPECT_EQ(file.GetU32("qwen3moe.expert_count"), 32u);
  EXPECT_EQ((*file.GetStrings("tokenizer.ggml.tokens"))->size(), 4096u);
  EXPECT_EQ(file.GetInt32Array("tokenizer.ggml.token_type")->size(), 4096u);
  EXPECT_EQ(file.GetBool("tokenizer.ggml.add_bos_token"), false);
  const GgufTensor* experts = file.FindTensor("blk.5.ffn_down_exps.weight");
  ASSERT_NE(experts, nullptr);
  EXPECT_EQ(experts->ShapeText(), "[256, 256, 32]");
  EXPECT_EQ(experts->type, matrices);
  EXPECT_EQ(file.FindTensor("token_embd.weight")->type, matrices);
  EXPECT_EQ(file.FindTensor("output.weight"), nullptr);  // tied
  EXPECT_EQ(file.FindTensor("blk.0.ffn_gate_inp.weight")->type, TensorType::kF32);
}

TEST(DemoModelTest, IsQ8) {
  const Result<GgufFile> file = Open(EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf");
  ASSERT_TRUE(file.has_value()) << file.error().message();
  ExpectDemo(*file, TensorType::kQ8_0);
  EXPECT_EQ(file->GetU32("general.file_type"), 7u);
}

TEST(DemoModelTest, ItsSourceIsF16) {
  const std::string path = EDGEMOE_SOURCE_DIR "/../shared/models/edgemoe-demo-f16.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const Result<GgufFile> file = Open(path);
  ASSERT_TRUE(file.has_value()) << file.error().message();
  ExpectDemo(*file, TensorType::kF16);
}

}  // namespace
}  // namespace edgemoe
