// SPDX-License-Identifier: Apache-2.0
//
// Every ExpertSource, healthy and on broken storage, keeps the contract of expert_source.h.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "engine/base/random.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/page_size.h"
#include "engine/stream/baselines/layer_stream_source.h"
#include "engine/stream/baselines/mapped_source.h"
#include "tests/engine/stream/pipeline_fixture.h"

namespace edgemoe {
namespace {

// A source with all that it refers to.
class Stack {
 public:
  virtual ~Stack() = default;
  virtual ExpertSource& source() = 0;
};

// The pipeline over a cache, in its variants.
class CacheStack final : public Stack {
 public:
  CacheStack(std::uint64_t slab_bytes, bool keep_experts, std::string_view faults)
      : stack_({.slab_bytes = slab_bytes, .faults = faults, .depth = 4}) {
    pipeline_.emplace(stack_.layout, stack_.reader.get(), &stack_.cache, &stack_.clock,
                      ExpertPipelineOptions{.loader = {.request_bytes_max = 4 * kReadAlignment},
                                            .keep_experts = keep_experts});
  }
  ExpertSource& source() override { return *pipeline_; }

 private:
  PipelineStack stack_;
  std::optional<ExpertPipeline> pipeline_;
};

class LayerStack final : public Stack {
 public:
  explicit LayerStack(std::string_view faults) {
    files_.push_back(*StorageFile::Open(PipelineStack::File().path()));
    reader_ = std::make_unique<FaultyReader>(
        std::move(OpenReader(files_, {.backend = "pread", .depth = 4})->reader),
        *ParseFaultSchedule(faults));
    source_.emplace(layout_, reader_.get(), memory_.span(), &clock_, 4 * kReadAlignment);
  }
  ExpertSource& source() override { return *source_; }

 private:
  const ExpertLayout layout_ = MakeLayout();
  FakeClock clock_;
  AlignedBuffer memory_ = *AlignedBuffer::Allocate(LayerStreamSource::MemoryBytes(layout_));
  std::vector<StorageFile> files_;
  std::unique_ptr<FaultyReader> reader_;
  std::optional<LayerStreamSource> source_;
};

class MapStack final : public Stack {
 public:
  explicit MapStack(const std::string& path)
      : source_(*MappedSource::Open(layout_, {{path}}, &clock_)) {}
  ExpertSource& source() override { return *source_; }

 private:
  const ExpertLayout layout_ = MakeLayout();
  const FakeClock clock_;
  std::unique_ptr<MappedSource> source_;
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Stack>(std::string_view faults)> make;
};

std::vector<Kind> KindsWithReader() {
  const std::uint64_t all = SlabBytesMax(*SlotClassesOf(MakeLayout(), kTopK));
  return {
      {"PipelineAtTheLeast",
       [](auto faults) { return std::make_unique<CacheStack>(0, true, faults); }},
      {"PipelineThatHoldsAll",
       [all](auto faults) { return std::make_unique<CacheStack>(all, true, faults); }},
      {"PipelineThatKeepsNothing",
       [](auto faults) { return std::make_unique<CacheStack>(0, false, faults); }},
      {"LayerStream", [](auto faults) { return std::make_unique<LayerStack>(faults); }},
  };
}

std::vector<Kind> Kinds() {
  std::vector<Kind> kinds = KindsWithReader();
  kinds.push_back(
      {"Mapped", [](auto) { return std::make_unique<MapStack>(PipelineStack::File().path()); }});
  return kinds;
}

class ExpertSourceTest : public testing::TestWithParam<Kind> {
 protected:
  void Make(std::string_view faults = "") { stack_ = GetParam().make(faults); }
  ExpertSource& source() { return stack_->source(); }

  void CheckBytes(const ReadyExpert& ready, std::uint32_t layer) const {
    const ExpertExtents& extents = layout_.of({ExpertLayerIndex{layer}, ready.expert});
    for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
      if (!ready.status.ok()) {
        ASSERT_EQ(ready.status.code(), StatusCode::kDataLoss) << ready.status.ToString();
        ASSERT_EQ(ready.matrices[role], nullptr);
        continue;
      }
      ASSERT_NE(ready.matrices[role], nullptr);
      ASSERT_EQ(ready.types[role], extents[role].type);
      const auto expected =
          PipelineStack::File().bytes().subspan(extents[role].offset, extents[role].bytes);
      ASSERT_EQ(std::memcmp(expected.data(), ready.matrices[role], expected.size()), 0)
          << "layer " << layer << " expert " << ready.expert.value << " role " << role;
    }
  }

  // What was given, each once, with its bytes; statuses by expert.
  std::vector<Status> RunLayer(std::uint32_t layer, const std::vector<ExpertIndex>& experts,
                               std::size_t room = 2) {
    source().Begin(ExpertLayerIndex{layer}, {}, experts);
    source().Advance();
    std::vector<Status> statuses(kExperts);
    std::set<std::uint32_t> given;
    std::vector<ReadyExpert> ready(room);
    while (const std::size_t count = source().NextReady(ready)) {
      EXPECT_LE(count, room);
      for (std::size_t i = 0; i < count; ++i) {
        CheckBytes(ready[i], layer);
        statuses[ready[i].expert.value] = ready[i].status;
        EXPECT_TRUE(given.insert(ready[i].expert.value).second) << "given twice";
        EXPECT_NE(std::find(experts.begin(), experts.end(), ready[i].expert), experts.end())
            << "never asked for";
      }
      source().Release(std::span(ready).first(count));
    }
    EXPECT_EQ(given.size(), experts.size());
    return statuses;
  }

  const ExpertLayout layout_ = MakeLayout();
  std::unique_ptr<Stack> stack_;
};

TEST_P(ExpertSourceTest, GivesEachExpertOnceWithItsBytes) {
  for (const std::size_t room : {1U, 2U, 32U}) {
    Make();
    std::uint64_t used = 0;
    for (int token = 0; token < 3; ++token) {
      source().BeginStep();
      for (std::uint32_t layer = 0; layer < kLayers; ++layer) {
        // One token's choice, or a prompt's.
        const auto experts = token == 1 ? AllExperts() : Experts({(layer * 3) % 8, 7});
        for (const Status& status : RunLayer(layer, experts, room)) EXPECT_TRUE(status.ok());
        used += experts.size();
        EXPECT_EQ(source().account().experts_used, used);
        EXPECT_LE(source().account().hits, used);
      }
    }
  }
}

TEST_P(ExpertSourceTest, NothingWantedNothingGiven) {
  Make();
  RunLayer(2, {});
  RunLayer(3, Experts({1}));
  std::array<ReadyExpert, 1> ready;
  EXPECT_EQ(source().NextReady(ready), 0u);
}

TEST_P(ExpertSourceTest, LayersMayComeInAnyOrder) {
  Make();
  Random random(7);
  for (int i = 0; i < 60; ++i) {
    const auto layer = static_cast<std::uint32_t>(random.NextBelow(kLayers));
    RunLayer(layer, Experts({static_cast<std::uint32_t>(random.NextBelow(4)), 6}));
  }
}

TEST_P(ExpertSourceTest, AbandonedLayersLeaveNoTrace) {
  Make();
  Random random(11);
  std::array<ReadyExpert, 1> ready;
  for (int i = 0; i < 60; ++i) {
    const auto layer = static_cast<std::uint32_t>(random.NextBelow(kLayers));
    source().Begin(ExpertLayerIndex{layer}, {}, AllExperts());
    const bool took_one = random.NextBelow(2) == 0;
    if (took_one) {
      ASSERT_EQ(source().NextReady(ready), 1u);
    }
    source().Abandon();
    EXPECT_EQ(source().NextReady(std::span(ready).subspan(0)), 0u);
    if (took_one) {
      CheckBytes(ready[0], layer);
      source().Release(ready);
    }
    if (random.NextBelow(3) == 0) RunLayer((layer + 1) % kLayers, Experts({2, 5}));
  }
}

TEST_P(ExpertSourceTest, MayEndWithReadsInFlight) {
  Make();
  source().Begin(ExpertLayerIndex{1}, {}, AllExperts());
  source().Abandon();
  stack_.reset();
}

// The reads of its neighbours, rounded outwards to blocks, do not touch it.
std::uint64_t MiddleOf(const ExpertExtent& extent) { return extent.offset + extent.bytes / 2; }

// Of those that read through a BlockReader.
class BrokenStorageTest : public ExpertSourceTest {};

TEST_P(BrokenStorageTest, OneFailedReadFailsWhoNeededItAndIsTriedAgain) {
  const std::uint64_t middle = MiddleOf(layout_.of({ExpertLayerIndex{0}, ExpertIndex{3}})[1]);
  Make("eio:begin=" + std::to_string(middle) + ",end=" + std::to_string(middle + 1) + ",count=1");
  const auto statuses = RunLayer(0, Experts({0, 3}));
  EXPECT_TRUE(statuses[0].ok());
  EXPECT_EQ(statuses[3].code(), StatusCode::kDataLoss);
  EXPECT_NE(statuses[3].message().find("expert 3 of layer 0"), std::string::npos)
      << statuses[3].message();
  EXPECT_EQ(source().account().experts_used, 1u);
  for (const Status& status : RunLayer(0, Experts({0, 3}))) EXPECT_TRUE(status.ok());
}

TEST_P(BrokenStorageTest, ABadPlaceFailsItsExpertEveryTime) {
  const std::uint64_t middle = MiddleOf(layout_.of({ExpertLayerIndex{1}, ExpertIndex{5}})[2]);
  Make("eio:begin=" + std::to_string(middle) + ",end=" + std::to_string(middle + 1));
  for (int round = 0; round < 3; ++round)
    for (std::uint32_t layer = 0; layer < kLayers; ++layer) {
      const auto statuses = RunLayer(layer, Experts({1, 5}));
      EXPECT_TRUE(statuses[1].ok());
      EXPECT_EQ(statuses[5].ok(), layer != 1) << "layer " << layer;
    }
}

TEST_P(BrokenStorageTest, StorageThatDoesItsWorst) {
  for (int seed = 1; seed <= 20; ++seed) {
    Make("eio:every=33;short:every=10;shuffle;late:calls=5;random:seed=" + std::to_string(seed));
    Random random(static_cast<std::uint64_t>(seed));
    for (int i = 0; i < 30; ++i) {
      const auto layer = static_cast<std::uint32_t>(random.NextBelow(kLayers));
      if (random.NextBelow(4) == 0) {
        source().Begin(ExpertLayerIndex{layer}, {}, AllExperts());
        source().Abandon();
      }
      RunLayer((layer + 1) % kLayers, Experts({0, 4}));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ExpertSourceTest, testing::ValuesIn(Kinds()),
                         [](const auto& param_info) { return param_info.param.name; });

INSTANTIATE_TEST_SUITE_P(All, BrokenStorageTest, testing::ValuesIn(KindsWithReader()),
                         [](const auto& param_info) { return param_info.param.name; });

// ---- what each baseline does beside that ----

TEST(PipelineThatKeepsNothingTest, EachUseIsARead) {
  CacheStack stack(0, false, "");
  std::array<ReadyExpert, 2> ready;
  std::uint64_t bytes_once = 0;
  for (int round = 1; round <= 3; ++round) {
    stack.source().Begin(ExpertLayerIndex{0}, {}, Experts({2, 6}));
    while (const std::size_t count = stack.source().NextReady(ready))
      stack.source().Release(std::span(ready).first(count));
    const ExpertIoAccount& account = stack.source().account();
    if (round == 1) bytes_once = account.bytes_read;
    EXPECT_EQ(account.hits, 0u);
    EXPECT_EQ(account.bytes_read, bytes_once * static_cast<std::uint64_t>(round));
  }
}

class LayerStreamSourceTest : public testing::Test {
 protected:
  LayerStreamSourceTest()
      : memory_(*AlignedBuffer::Allocate(LayerStreamSource::MemoryBytes(layout_))) {
    files_.push_back(*StorageFile::Open(PipelineStack::File().path()));
    reader_ = std::move(OpenReader(files_, {.backend = "pread", .depth = 3})->reader);
    source_.emplace(layout_, reader_.get(), memory_.span(), &clock_, 64 * kReadAlignment);
  }

  void Run(std::uint32_t layer) {
    source_->Begin(ExpertLayerIndex{layer}, {}, Experts({1}));
    std::array<ReadyExpert, 1> ready;
    while (const std::size_t count = source_->NextReady(ready))
      source_->Release(std::span(ready).first(count));
    // The layer computes: the next one lands.
    while (reader_->in_flight() > 0) source_->Advance();
  }

  const ExpertLayout layout_ = MakeLayout();
  FakeClock clock_;
  AlignedBuffer memory_;
  std::vector<StorageFile> files_;
  std::unique_ptr<BlockReader> reader_;
  std::optional<LayerStreamSource> source_;
};

TEST_F(LayerStreamSourceTest, TheNextLayerIsReadWhileOneComputes) {
  Run(0);
  EXPECT_EQ(source_->account().hits, 0u);
  for (int token = 0; token < 3; ++token)
    for (std::uint32_t layer = 1; layer <= kLayers; ++layer) Run(layer % kLayers);
  EXPECT_EQ(source_->account().hits, 3u * kLayers);
}

// Whatever was asked for, each layer is read once for each time that it comes, and nothing more.
TEST_F(LayerStreamSourceTest, EveryTokenReadsTheWholeModel) {
  for (std::uint32_t layer = 0; layer < kLayers; ++layer) Run(layer);
  const std::uint64_t first = source_->account().bytes_read;
  EXPECT_GE(first, FileBytes(layout_));
  for (std::uint32_t layer = 0; layer < kLayers; ++layer) Run(layer);
  const std::uint64_t one_pass = source_->account().bytes_read - first;
  EXPECT_GE(one_pass, FileBytes(layout_) - 96);
  EXPECT_LE(one_pass, FileBytes(layout_) + 8 * kLayers * kReadAlignment);
}

// An emulator takes any advice, and does nothing.
bool HeedsAdvice() {
  constexpr int kNone = 12'345;
  AlignedBuffer page = *AlignedBuffer::Allocate(PageBytes());
  return ::madvise(page.data(), PageBytes(), kNone) != 0;
}

TEST(MappedSourceTest, AFileThatIsCutShortIsDataLoss) {
  if (!HeedsAdvice())
    GTEST_SKIP() << "SKIPPED: madvise does nothing here, as in an emulated process";
  const auto bytes = PipelineStack::File().bytes();
  const TestFile file(std::vector<std::byte>(bytes.begin(), bytes.end()));
  MapStack stack(file.path());
  std::filesystem::resize_file(file.path(), bytes.size() / 2);
  std::array<ReadyExpert, 2> ready;
  stack.source().Begin(ExpertLayerIndex{kLayers - 1}, {}, Experts({0, 7}));
  ASSERT_EQ(stack.source().NextReady(ready), 2u);
  for (const ReadyExpert& expert : ready) {
    EXPECT_EQ(expert.status.code(), StatusCode::kDataLoss) << expert.status.ToString();
    EXPECT_EQ(expert.matrices[0], nullptr);
  }
  stack.source().Release(ready);
  stack.source().Begin(ExpertLayerIndex{0}, {}, Experts({0}));
  ASSERT_EQ(stack.source().NextReady(ready), 1u);
  EXPECT_TRUE(ready[0].status.ok());
  stack.source().Release(std::span(ready).first(1));
}

TEST(MappedSourceTest, AFileShorterThanItsLayoutIsDataLoss) {
  const auto bytes = PipelineStack::File().bytes().first(50'000);
  const TestFile file(std::vector<std::byte>(bytes.begin(), bytes.end()));
  MapStack stack(file.path());
  std::array<ReadyExpert, 1> ready;
  stack.source().Begin(ExpertLayerIndex{3}, {}, Experts({0}));
  ASSERT_EQ(stack.source().NextReady(ready), 1u);
  EXPECT_EQ(ready[0].status.code(), StatusCode::kDataLoss);
  stack.source().Release(ready);
}

}  // namespace
}  // namespace edgemoe
