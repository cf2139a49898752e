// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/base/checksum.h"
#include "engine/gguf/pack_keys.h"
#include "engine/pack/pack_layout.h"
#include "engine/pack/pack_source.h"
#include "engine/stream/pipeline/reads.h"
#include "tests/support/child_process.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span<const char>(text));
}

// The bytes that `from` says of a file, for comparing weights across layouts.
std::string_view At(const std::string& file, const ExpertExtent& from) {
  return std::string_view(file).substr(from.offset, from.bytes);
}

class PackWriterTest : public testing::Test {
 protected:
  PackWriterTest() {
    model_.down_type = TensorType::kQ4_0;
    model_.tied_output = false;
    EXPECT_TRUE(WriteTinyModel(source_, model_).ok());
  }

  PackJob Job() const {
    PackJob job;
    job.source_path = source_;
    job.output_path = output_;
    job.sync_bytes = 20000;
    return job;
  }
  std::string partial() const { return output_ + ".partial"; }
  bool LeftNothing() const {
    return !fs::exists(output_) && !fs::exists(partial()) && !fs::exists(partial() + ".journal");
  }
  std::string Uninterrupted() const {
    PackJob job = Job();
    job.output_path = folder_ / "whole.gguf";
    EXPECT_TRUE(RunPackJob(job));
    return ReadFile(job.output_path);
  }

  TempFolder folder_;
  std::string source_ = folder_ / "tiny.gguf";
  std::string output_ = folder_ / "pack.gguf";
  TinyModelOptions model_;
};

TEST_F(PackWriterTest, EveryBitIsWhereThePackSays) {
  const auto result = RunPackJob(Job());
  ASSERT_TRUE(result) << result.error().ToString();
  EXPECT_EQ(result->file_bytes, fs::file_size(output_));
  EXPECT_EQ(result->source_bytes, fs::file_size(source_));
  EXPECT_EQ(result->resumed_bytes, 0u);
  EXPECT_FALSE(fs::exists(partial()));
  EXPECT_FALSE(fs::exists(partial() + ".journal"));

  const std::string stock_bytes = ReadFile(source_);
  const std::string pack_bytes = ReadFile(output_);
  const auto stock = LoadedModel::Load(Bytes(stock_bytes), {});
  const auto pack = LoadedModel::Load(Bytes(pack_bytes), {});
  ASSERT_TRUE(stock && pack) << pack.error().ToString();
  EXPECT_EQ((*pack)->files().metadata().alignment(), kGgufDefaultAlignment)
      << "padding would be felt";

  const ExpertLayout& from = (*stock)->layout().experts;
  const ExpertLayout& to = (*pack)->layout().experts;
  ASSERT_EQ(from.extents.size(), to.extents.size());
  ASSERT_EQ(to.checksums.size(), to.extents.size());
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < to.extents.size(); ++i) {
    const ExpertReads reads = LayOutReads(to.extents[i]);
    EXPECT_EQ(reads.run_count, 1u) << "an expert is one read";
    EXPECT_GE(to.extents[i][0].offset, end) << "experts stand in order";
    end = AlignUp(to.extents[i][2].offset + to.extents[i][2].bytes, kGgufDefaultAlignment);
    std::string matrices;
    for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
      EXPECT_EQ(At(stock_bytes, from.extents[i][role]), At(pack_bytes, to.extents[i][role]));
      EXPECT_EQ(from.extents[i][role].type, to.extents[i][role].type);
      matrices += At(pack_bytes, to.extents[i][role]);
    }
    EXPECT_EQ(to.checksums[i], Checksum64Of(Bytes(matrices)));
  }
  EXPECT_EQ(end, pack_bytes.size());
  for (const GgufTensor& dense : (*stock)->files().tensors()) {
    if (dense.name.find("_exps") != std::string::npos) continue;
    const GgufTensor* copy = (*pack)->files().FindTensor(dense.name);
    ASSERT_NE(copy, nullptr) << dense.name;
    EXPECT_EQ(stock_bytes.substr(dense.offset, dense.bytes),
              pack_bytes.substr(copy->offset, copy->bytes));
    EXPECT_LT(copy->offset, to.extents[0][0].offset) << "dense tensors stand first";
  }
}

TEST(PackAlignmentTest, IsAPageWhereThatCostsLittle) {
  PackTensor tensor;
  tensor.role = TensorRole::kGate;
  tensor.dims = {256, 256, 1};
  tensor.dimension_count = 2;
  tensor.source_type = TensorType::kF16;
  tensor.source_bytes = 256 * 512;
  PackRecipe recipe;
  const std::vector<PackTensor> tensors(3, tensor);
  EXPECT_EQ(PackAlignmentFor(tensors, recipe), kPackAlignment);
  recipe.types = {TensorType::kQ4_K, TensorType::kQ4_K, TensorType::kQ4_K};
  EXPECT_EQ(PackAlignmentFor(tensors, recipe), kPackAlignment) << "nine pages each";
  recipe.types[1] = TensorType::kQ6_K;
  EXPECT_EQ(PackAlignmentFor(tensors, recipe), kGgufDefaultAlignment) << "13.1 pages";
}

TEST_F(PackWriterTest, KeepsTheModelsKeysAndSaysWhereItIsFrom) {
  const auto result = RunPackJob(Job());
  ASSERT_TRUE(result);
  const std::string stock_bytes = ReadFile(source_);
  const std::string pack_bytes = ReadFile(output_);
  const GgufFile stock = *ParseGguf(Bytes(stock_bytes), stock_bytes.size());
  const GgufFile pack = *ParseGguf(Bytes(pack_bytes), pack_bytes.size());
  for (const GgufEntry& entry : stock.metadata()) {
    const GgufValue* copy = pack.Find(entry.key);
    ASSERT_NE(copy, nullptr) << entry.key;
    EXPECT_TRUE(*copy == entry.value) << entry.key;
  }
  EXPECT_TRUE(CheckPackHeader(Bytes(pack_bytes), pack).ok());
  EXPECT_EQ(*pack.GetU32(kPackVersionKey), 1u);
  EXPECT_EQ(*pack.GetString(kPackSourceNameKey), "tiny.gguf");
  EXPECT_EQ(*pack.GetU64(kPackSourceBytesKey), stock_bytes.size());
  EXPECT_EQ(*pack.GetString(kPackSourceDigestKey), result->source_digest);
  EXPECT_THAT(std::string(*pack.GetString(kPackToolKey)), testing::StartsWith("edgemoe "));
  std::vector<std::uint64_t> checksums = *pack.GetU64Array(kPackDenseChecksumsKey);
  const auto experts = *pack.GetU64Array(kPackExpertChecksumsKey);
  checksums.insert(checksums.end(), experts.begin(), experts.end());
  EXPECT_EQ(Digest128Of(std::as_bytes(std::span<const std::uint64_t>(checksums))),
            result->source_digest);
}

TEST_F(PackWriterTest, TheSameLogitsBitForBit) {
  ASSERT_TRUE(RunPackJob(Job()));
  const std::vector<TokenId> tokens = {{84}, {104}, {101}, {32}, {99}, {97}, {116}};
  std::vector<std::vector<float>> logits;
  for (const std::string& path : {source_, output_}) {
    const std::string bytes = ReadFile(path);
    const auto model = LoadedModel::Load(Bytes(bytes), {});
    ASSERT_TRUE(model) << model.error().ToString();
    SequenceState sequence((*model)->state());
    const auto run = (*model)->Run(sequence, 0, tokens);
    ASSERT_TRUE(run) << run.error().ToString();
    logits.push_back(*run);
  }
  EXPECT_EQ(logits[0], logits[1]);
}

TEST_F(PackWriterTest, TellsHowFarItIs) {
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  PackJob job = Job();
  job.progress = [&](std::uint64_t bytes_done, std::uint64_t bytes_total) {
    EXPECT_GE(bytes_done, last);
    last = bytes_done;
    total = bytes_total;
  };
  const auto result = RunPackJob(job);
  ASSERT_TRUE(result);
  EXPECT_EQ(last, total);
  EXPECT_EQ(total, result->weight_bytes);
}

// Cancels, or kills the process, after each number of bytes in turn.
class PackResumeTest : public PackWriterTest, public testing::WithParamInterface<int> {};

TEST_P(PackResumeTest, ACancelledJobGoesOn) {
  const std::string whole = Uninterrupted();
  const std::uint64_t stop_at = static_cast<std::uint64_t>(GetParam()) * 10000;
  std::atomic<bool> cancelled = false;
  PackJob job = Job();
  job.cancelled = &cancelled;
  job.progress = [&](std::uint64_t done, std::uint64_t) { cancelled = done >= stop_at; };
  const auto first = RunPackJob(job);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code(), StatusCode::kCancelled);
  EXPECT_THAT(first.error().message(), HasSubstr(partial()));
  EXPECT_FALSE(fs::exists(output_));
  const auto second = RunPackJob(Job());
  ASSERT_TRUE(second) << second.error().ToString();
  if (stop_at > 60000) {
    EXPECT_GT(second->resumed_bytes, 0u);
  }
  EXPECT_EQ(ReadFile(output_), whole);
}

TEST_P(PackResumeTest, AKilledJobGoesOn) {
  const std::string whole = Uninterrupted();
  const std::uint64_t stop_at = static_cast<std::uint64_t>(GetParam()) * 10000;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    PackJob job = Job();
    job.progress = [&](std::uint64_t done, std::uint64_t) {
      if (done >= stop_at) ::raise(SIGKILL);
    };
    (void)RunPackJob(job);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(output_));
  EXPECT_FALSE(ParseGguf(Bytes(ReadFile(partial())), fs::file_size(partial())))
      << "an unfinished file is no GGUF";
  const auto second = RunPackJob(Job());
  ASSERT_TRUE(second) << second.error().ToString();
  if (stop_at > 60000) {
    EXPECT_GT(second->resumed_bytes, 0u);
  }
  EXPECT_EQ(ReadFile(output_), whole);
}

INSTANTIATE_TEST_SUITE_P(At, PackResumeTest, testing::Values(0, 1, 3, 7, 12, 17, 20));

TEST_F(PackWriterTest, WhatIsLeftOfAnotherSourceIsNotUsed) {
  std::atomic<bool> cancelled = false;
  PackJob job = Job();
  job.cancelled = &cancelled;
  job.progress = [&](std::uint64_t done, std::uint64_t) { cancelled = done > 100000; };
  ASSERT_FALSE(RunPackJob(job));
  model_.seed = 2;
  ASSERT_TRUE(WriteTinyModel(source_, model_).ok());
  const auto second = RunPackJob(Job());
  ASSERT_TRUE(second) << second.error().ToString();
  EXPECT_EQ(second->resumed_bytes, 0u);
  EXPECT_EQ(ReadFile(output_), Uninterrupted());
}

TEST_F(PackWriterTest, AJournalWithoutItsFileIsNotUsed) {
  std::atomic<bool> cancelled = false;
  PackJob job = Job();
  job.cancelled = &cancelled;
  job.progress = [&](std::uint64_t done, std::uint64_t) { cancelled = done > 100000; };
  ASSERT_FALSE(RunPackJob(job));
  const auto size = fs::file_size(partial());
  // Another file of the same size; the old one is kept, so that this one has an inode of its own.
  fs::rename(partial(), folder_ / "kept");
  std::ofstream(partial()) << "";
  fs::resize_file(partial(), size);
  const auto second = RunPackJob(Job());
  ASSERT_TRUE(second) << second.error().ToString();
  EXPECT_EQ(second->resumed_bytes, 0u);
  EXPECT_EQ(ReadFile(output_), Uninterrupted());
}

TEST_F(PackWriterTest, AFullDiskIsNamedBeforeAnythingIsWritten) {
  PackJob job = Job();
  job.disk.free_bytes = [](int) { return std::uint64_t{12345}; };
  job.disk.write = [](int, const void*, std::size_t, off_t) -> ssize_t {
    ADD_FAILURE() << "wrote";
    return -1;
  };
  const auto result = RunPackJob(job);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(result.error().message(), HasSubstr(output_));
  EXPECT_THAT(result.error().message(), HasSubstr("(12345 bytes) free"));
  EXPECT_TRUE(LeftNothing());
}

TEST_F(PackWriterTest, ADiskThatFillsUpKeepsWhatIsThere) {
  const std::string whole = Uninterrupted();
  PackJob job = Job();
  int writes = 0;
  job.disk.write = [&](int fd, const void* bytes, std::size_t count, off_t offset) -> ssize_t {
    if (++writes > 40) {
      errno = ENOSPC;
      return -1;
    }
    // Short and interrupted writes are no failures.
    if (writes % 3 == 0) {
      errno = EINTR;
      return -1;
    }
    return ::pwrite(fd, bytes, writes % 2 == 0 ? (count + 1) / 2 : count, offset);
  };
  const auto first = RunPackJob(job);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(first.error().message(), HasSubstr(partial()));
  EXPECT_THAT(first.error().message(), HasSubstr("needed"));
  EXPECT_FALSE(fs::exists(output_));
  const auto second = RunPackJob(Job());
  ASSERT_TRUE(second) << second.error().ToString();
  EXPECT_GT(second->resumed_bytes, 0u);
  EXPECT_EQ(ReadFile(output_), whole);
}

TEST_F(PackWriterTest, AFailingDiskIsDataLoss) {
  PackJob job = Job();
  job.disk.write = [](int, const void*, std::size_t, off_t) -> ssize_t {
    errno = EIO;
    return -1;
  };
  const auto result = RunPackJob(job);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), StatusCode::kDataLoss);
  EXPECT_THAT(result.error().message(), HasSubstr(partial()));
}

TEST_F(PackWriterTest, DoesNotOverwriteUnlessTold) {
  std::ofstream(output_) << "precious";
  const auto refused = RunPackJob(Job());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(refused.error().message(), HasSubstr(output_));
  EXPECT_EQ(ReadFile(output_), "precious");
  EXPECT_FALSE(fs::exists(partial()));
  PackJob job = Job();
  job.overwrite = true;
  ASSERT_TRUE(RunPackJob(job));
  EXPECT_EQ(ReadFile(output_), Uninterrupted());
}

TEST_F(PackWriterTest, DoesNotOverwriteWhatAppearsMeanwhile) {
  PackJob job = Job();
  job.progress = [&](std::uint64_t, std::uint64_t) { std::ofstream(output_) << "precious"; };
  const auto refused = RunPackJob(job);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(output_), "precious");
}

TEST_F(PackWriterTest, TheSourceIsNeverTheOutput) {
  fs::create_symlink(source_, folder_ / "link.gguf");
  for (const std::string& output : {source_, folder_ / "link.gguf", folder_ / "./tiny.gguf"}) {
    PackJob job = Job();
    job.output_path = output;
    job.overwrite = true;
    const auto refused = RunPackJob(job);
    ASSERT_FALSE(refused) << output;
    EXPECT_EQ(refused.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(refused.error().message(), HasSubstr("source"));
  }
}

TEST_F(PackWriterTest, OneJobForAnOutput) {
  PackJob job = Job();
  int tried = 0;
  job.progress = [&](std::uint64_t, std::uint64_t) {
    if (tried++ > 0) return;
    const auto second = RunPackJob(Job());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(second.error().message(), HasSubstr(output_));
  };
  ASSERT_TRUE(RunPackJob(job));
  EXPECT_GT(tried, 0);
  EXPECT_EQ(ReadFile(output_), Uninterrupted());
}

TEST_F(PackWriterTest, APackIsNotPackedAgain) {
  ASSERT_TRUE(RunPackJob(Job()));
  PackJob job = Job();
  job.source_path = output_;
  job.output_path = folder_ / "again.gguf";
  const auto refused = RunPackJob(job);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("already"));
}

TEST_F(PackWriterTest, ASourceThatChangesMeanwhileIsRefused) {
  PackJob job = Job();
  int told = 0;
  job.progress = [&](std::uint64_t, std::uint64_t) {
    if (++told != 5) return;
    std::ofstream(source_, std::ios::binary | std::ios::app) << "more";
  };
  const auto refused = RunPackJob(job);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message(), HasSubstr(source_));
  EXPECT_TRUE(LeftNothing());
}

TEST_F(PackWriterTest, FoldersThatAreNotThereAreNamed) {
  PackJob job = Job();
  job.output_path = folder_ / "nowhere/pack.gguf";
  const auto refused = RunPackJob(job);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kNotFound);
  EXPECT_THAT(refused.error().message(), HasSubstr("nowhere"));
  job = Job();
  job.source_path = folder_ / "missing.gguf";
  EXPECT_EQ(RunPackJob(job).error().code(), StatusCode::kNotFound);
}

// The tiny model in two parts, its experts' roles on both.
TEST_F(PackWriterTest, ASplitSourceGivesTheSameWeights) {
  const std::string whole = Uninterrupted();
  const std::string stock = ReadFile(source_);
  const GgufFile file = *ParseGguf(Bytes(stock), stock.size());
  for (std::uint32_t part = 0; part < 2; ++part) {
    GgufWriter writer;
    if (part == 0) {
      ASSERT_TRUE(SetTinyModelMetadata(model_, &writer).ok());
    }
    ASSERT_TRUE(writer.Set("split.no", part).ok());
    ASSERT_TRUE(writer.Set("split.count", 2u).ok());
    std::vector<const GgufTensor*> tensors;
    for (std::size_t i = 0; i < file.tensors().size(); ++i)
      if (i % 2 == part) tensors.push_back(&file.tensors()[i]);
    for (const GgufTensor* tensor : tensors)
      ASSERT_TRUE(writer
                      .AddTensor(tensor->name, tensor->type,
                                 std::span(tensor->dims).first(tensor->dimension_count))
                      .ok());
    const GgufHeader header = writer.Build();
    std::string bytes = header.bytes;
    bytes.resize(header.file_bytes);
    for (std::size_t i = 0; i < tensors.size(); ++i)
      bytes.replace(header.tensors[i].offset, tensors[i]->bytes,
                    stock.substr(tensors[i]->offset, tensors[i]->bytes));
    std::ofstream(folder_ / ("two-0000" + std::to_string(part + 1) + "-of-00002.gguf"),
                  std::ios::binary)
        << bytes;
  }
  PackJob job = Job();
  job.source_path = folder_ / "two-00001-of-00002.gguf";
  const auto result = RunPackJob(job);
  ASSERT_TRUE(result) << result.error().ToString();
  const std::string pack_bytes = ReadFile(output_);
  const auto pack = LoadedModel::Load(Bytes(pack_bytes), {});
  const auto reference = LoadedModel::Load(Bytes(whole), {});
  ASSERT_TRUE(pack && reference) << pack.error().ToString();
  EXPECT_EQ((*pack)->files().metadata().Find("split.count"), nullptr);
  EXPECT_EQ((*pack)->layout().experts.checksums, (*reference)->layout().experts.checksums);
  for (const GgufTensor& tensor : (*reference)->files().tensors()) {
    const GgufTensor* other = (*pack)->files().FindTensor(tensor.name);
    ASSERT_NE(other, nullptr) << tensor.name;
    EXPECT_EQ(pack_bytes.substr(other->offset, other->bytes),
              whole.substr(tensor.offset, tensor.bytes));
  }
}

}  // namespace
}  // namespace edgemoe
