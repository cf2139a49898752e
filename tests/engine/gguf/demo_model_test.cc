// SPDX-License-Identifier: Apache-2.0
//
// The reader on the model that comes with the project, and on the file that it was made from where
// that is there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/base/system/unique_fd.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/gguf/requantize.h"

namespace edgemoe {
namespace {

// A file, mapped; `bytes` is empty where it could not be.
class Mapped {
 public:
  explicit Mapped(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return;
    const std::size_t size = std::filesystem::file_size(path);
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (mapped != MAP_FAILED) bytes_ = {static_cast<const std::byte*>(mapped), size};
  }
  ~Mapped() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  Result<GgufFile> Parse() const { return ParseGguf(bytes_, bytes_.size()); }

 private:
  std::span<const std::byte> bytes_;
};

constexpr const char* kModel = EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf";
constexpr const char* kSource = EDGEMOE_SOURCE_DIR "/../shared/models/edgemoe-demo-f16.gguf";

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
  const Result<GgufFile> file = Mapped(kModel).Parse();
  ASSERT_TRUE(file.has_value()) << file.error().message();
  ExpectDemo(*file, TensorType::kQ8_0);
  EXPECT_EQ(file->GetU32("general.file_type"), 7u);
}

TEST(DemoModelTest, ItsSourceIsF16) {
  if (!std::filesystem::exists(kSource)) GTEST_SKIP() << "no " << kSource;
  const Result<GgufFile> file = Mapped(kSource).Parse();
  ASSERT_TRUE(file.has_value()) << file.error().message();
  ExpectDemo(*file, TensorType::kF16);
}

TEST(DemoModelTest, IsWhatThisCodeMakesOfItsSource) {
  if (!std::filesystem::exists(kSource)) GTEST_SKIP() << "no " << kSource;
  const Mapped model(kModel), source(kSource);
  const Result<RequantizePlan> plan = PlanRequantize(*source.Parse(), TensorType::kQ8_0);
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  ASSERT_EQ(plan->header.file_bytes, model.bytes().size());
  ASSERT_EQ(std::memcmp(plan->header.bytes.data(), model.bytes().data(), plan->header.bytes.size()),
            0);
  for (std::size_t i = 0; i < plan->sources.size(); ++i) {
    const GgufTensor& from = plan->sources[i];
    const GgufTensor& to = plan->header.tensors[i];
    std::vector<std::byte> made(to.bytes);
    std::vector<float> scratch(from.columns());
    RequantizeRows(from.type, to.type, from.columns(), from.rows(),
                   source.bytes().data() + from.offset, scratch.data(), made.data());
    EXPECT_EQ(std::memcmp(made.data(), model.bytes().data() + to.offset, to.bytes), 0) << to.name;
  }
}

}  // namespace
}  // namespace edgemoe
