// SPDX-License-Identifier: Apache-2.0
//
// Tensors over 2 GiB in a file over 4 GiB, from the header to the bytes of an expert. The file is
// sparse: it takes a few blocks of the disk, and is skipped where the file system would write it
// out.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/unique_fd.h"
#include "engine/io/reader_factory.h"
#include "engine/load/model_header.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint32_t kWidth = 1024;
constexpr std::uint32_t kExperts = 600;
constexpr std::uint64_t kMatrixBytes = std::uint64_t{kWidth} * kWidth * sizeof(float);
static_assert(kExperts * kMatrixBytes > 2 * kGiB);

// Where the matrix of an expert must be, by the header alone.
struct Matrix {
  ExpertRole role;
  std::uint32_t expert;
  std::uint64_t offset;
  std::string mark;  // its first bytes
};

class LargeFileTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    GgufWriter writer;
    ASSERT_TRUE(SetTinyModelMetadata(kModel, &writer).ok());
    for (const TinyTensor& tensor : TinyModelTensors(kModel))
      ASSERT_TRUE(writer.AddTensor(tensor.name, tensor.type, tensor.dims).ok());
    const GgufHeader header = writer.Build();
    file_bytes_ = header.file_bytes;
    AddMatrices(header);

    const UniqueFd file(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_TRUE(file.valid());
    if (::ftruncate(file.get(), static_cast<off_t>(header.file_bytes)) != 0)
      GTEST_SKIP() << "SKIPPED: no files of " << header.file_bytes << " bytes here";
    Write(file, header.bytes, 0);
    for (const Matrix& matrix : matrices_) Write(file, matrix.mark, matrix.offset);
    struct stat info = {};
    ASSERT_EQ(::fstat(file.get(), &info), 0);
    if (info.st_blocks > (std::int64_t{64} << 20) / 512)
      GTEST_SKIP() << "SKIPPED: this file system has no sparse files: " << info.st_blocks
                   << " blocks on disk";
  }

  void AddMatrices(const GgufHeader& header) {
    const char* names[] = {"blk.0.ffn_gate_exps.weight", "blk.0.ffn_up_exps.weight",
                           "blk.0.ffn_down_exps.weight"};
    for (const GgufTensor& tensor : header.tensors)
      for (std::size_t role = 0; role < kExpertRoleCount; ++role)
        for (const std::uint32_t expert : {0U, kExperts / 2, kExperts - 1})
          if (tensor.name == names[role])
            matrices_.push_back({static_cast<ExpertRole>(role), expert,
                                 tensor.offset + expert * kMatrixBytes,
                                 tensor.name + "/" + std::to_string(expert)});
    ASSERT_EQ(matrices_.size(), 3 * kExpertRoleCount);
  }

  static void Write(const UniqueFd& file, const std::string& bytes, std::uint64_t offset) {
    ASSERT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }

  const TinyModelOptions kModel = {.layer_count = 1,
                                   .width = kWidth,
                                   .expert_count = kExperts,
                                   .expert_width = kWidth,
                                   .gate_type = TensorType::kF32,
                                   .up_type = TensorType::kF32,
                                   .down_type = TensorType::kF32};
  const TempFolder folder_;
  const std::string path_ = folder_ / "large.gguf";
  std::uint64_t file_bytes_ = 0;
  std::vector<Matrix> matrices_;
};

TEST_P(LargeFileTest, ExpertsAreFoundAndRead) {
  const auto header = ReadModelHeader(path_);
  ASSERT_TRUE(header) << header.error().ToString();
  EXPECT_GT(header->file_bytes, 4 * kGiB);
  EXPECT_EQ(header->file_bytes, file_bytes_);

  std::vector<StorageFile> files;
  files.push_back(*StorageFile::Open(path_));
  auto opened = OpenReader(files, {.backend = GetParam(), .depth = 4});
  if (!opened && opened.error().code() == StatusCode::kUnavailable)
    GTEST_SKIP() << "SKIPPED: " << opened.error().ToString();
  ASSERT_TRUE(opened) << opened.error().ToString();
  const AlignedBuffer memory = *AlignedBuffer::Allocate(2 * kReadAlignment);
  std::uint64_t farthest = 0;
  for (const Matrix& matrix : matrices_) {
    const ExpertExtent extent = header->layout.experts.of(
        {ExpertLayerIndex{0}, ExpertIndex{matrix.expert}})[static_cast<std::size_t>(matrix.role)];
    EXPECT_EQ(extent.offset, matrix.offset) << matrix.mark;
    EXPECT_EQ(extent.bytes, kMatrixBytes) << matrix.mark;
    farthest = std::max(farthest, extent.offset);

    const std::uint64_t start = extent.offset / kReadAlignment * kReadAlignment;
    ASSERT_TRUE(opened->reader->TrySubmit({.offset = start,
                                           .destination = memory.data(),
                                           .bytes = 2 * kReadAlignment,
                                           .bytes_needed = 2 * kReadAlignment}));
    std::array<ReadCompletion, 1> completion;
    ASSERT_EQ(opened->reader->Wait(completion), 1U);
    ASSERT_TRUE(completion[0].status.ok()) << completion[0].status.ToString();
    EXPECT_EQ(std::memcmp(memory.data() + (extent.offset - start), matrix.mark.data(),
                          matrix.mark.size()),
              0)
        << matrix.mark << " at " << extent.offset;
  }
  EXPECT_GT(farthest, 4 * kGiB);
}

INSTANTIATE_TEST_SUITE_P(Readers, LargeFileTest, testing::Values("pread", "io_uring"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace edgemoe
