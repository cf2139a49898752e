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
#include "tests/support/models/requantized.h"

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

// F32 holds every value of Q8_0, whose scale is a block's largest value over 127: the way back is
// exact. Of the header only general.file_type changes on the way.
TEST(DemoModelTest, IsWhatThisCodeMakesOfItsOwnValues) {
  const Mapped model(kModel);
  const std::vector<std::byte> wide = Requantized(model.bytes(), TensorType::kF32);
  EXPECT_GT(wide.size(), 3 * model.bytes().size());
  const std::vector<std::byte> made = Requantized(wide, TensorType::kQ8_0);
  ASSERT_EQ(made.size(), model.bytes().size());
  EXPECT_EQ(std::memcmp(made.data(), model.bytes().data(), made.size()), 0);
}

// Its training gave F16, from which models/README.md tells how to make it.
TEST(DemoModelTest, IsWhatThisCodeMakesOfItsSource) {
  if (!std::filesystem::exists(kSource)) {
    GTEST_SKIP() << "SKIPPED: no " << kSource << ", 80 MB; "
                 << "IsWhatThisCodeMakesOfItsOwnValues checks the encoder on this model";
  }
  const Mapped model(kModel), source(kSource);
  const Result<GgufFile> file = source.Parse();
  ASSERT_TRUE(file.has_value()) << file.error().message();
  ExpectDemo(*file, TensorType::kF16);
  const std::vector<std::byte> made = Requantized(source.bytes(), TensorType::kQ8_0);
  ASSERT_EQ(made.size(), model.bytes().size());
  EXPECT_EQ(std::memcmp(made.data(), model.bytes().data(), made.size()), 0);
}

}  // namespace
}  // namespace edgemoe
