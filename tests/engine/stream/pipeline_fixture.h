// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cache/lru_policy.h"
#include "engine/io/faulty_reader.h"
#include "engine/io/reader_factory.h"
#include "engine/io/throttled_reader.h"
#include "engine/stream/pipeline/expert_pipeline.h"
#include "engine/stream/pipeline/slots.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_file.h"

namespace edgemoe {

// A model of 4 layers of 8 experts, 2 used for each token, in a file of random bytes: the matrices
// of a layer are stacked as in a stock GGUF, at offsets within a block; the last two layers' down
// matrices are larger. The file ends with the last matrix.
inline constexpr std::uint32_t kLayers = 4;
inline constexpr std::uint32_t kExperts = 8;
inline constexpr std::uint32_t kTopK = 2;

inline ExpertLayout MakeLayout() {
  ExpertLayout layout{
      .layer_count = kLayers, .experts_per_layer = kExperts, .extents = {}, .checksums = {}};
  layout.extents.resize(kLayers * kExperts);
  std::uint64_t offset = 96;
  for (std::uint32_t layer = 0; layer < kLayers; ++layer)
    for (std::size_t role = 0; role < kExpertRoleCount; ++role)
      for (std::uint32_t expert = 0; expert < kExperts; ++expert) {
        const bool wide = layer >= 2 && role == 2;
        ExpertExtent& extent = layout.extents[layer * kExperts + expert][role];
        extent.offset = offset;
        extent.bytes = wide ? 70'400 : 17'600;
        extent.type = wide ? TensorType::kQ6_K : TensorType::kQ4_K;
        offset += extent.bytes;
      }
  return layout;
}

inline std::uint64_t FileBytes(const ExpertLayout& layout) {
  const ExpertExtent& last = layout.extents.back()[2];
  return last.offset + last.bytes;
}

// The expert stack over a file, with a reader behind a fault plan.
class PipelineStack {
 public:
  struct Options {
    std::uint64_t slab_bytes = 0;  // 0: the least
    std::string_view faults = "";
    std::size_t depth = 8;
    std::uint32_t request_bytes_max = 16 * kReadAlignment;
    const char* backend = "pread";
    LookAhead look_ahead = LookAhead::kNone;
    bool keep_experts = true;
    std::uint64_t bytes_per_second = 0;  // of modelled storage, in the time of `clock`; 0: as it is
  };

  explicit PipelineStack(const Options& options)
      : classes(*SlotClassesOf(layout, kTopK)),
        slab(*SlotSlab::Create(
            classes, options.slab_bytes == 0 ? SlabBytesMin(classes) : options.slab_bytes)),
        cache(classes, &slab, LruPolicy::Make) {
    files.push_back(*StorageFile::Open(File().path()));
    auto opened = OpenReader(
        files, {.backend = options.backend, .depth = options.depth, .pread_thread_count = 2});
    if (!opened) {
      ADD_FAILURE() << opened.error().ToString();
      return;
    }
    std::unique_ptr<BlockReader> inner = std::move(opened->reader);
    (void)inner->SetFixedBuffers(slab.regions());
    if (options.bytes_per_second > 0)
      inner = std::make_unique<ThrottledReader>(
          std::move(inner),
          ThrottledReader::Options{.bytes_per_second = options.bytes_per_second,
                                   .clock = &clock,
                                   .sleep = [this](std::uint64_t ns) { clock.Advance(ns); }});
    reader = std::make_unique<FaultyReader>(std::move(inner), *ParseFaultSchedule(options.faults));
    pipeline.emplace(
        layout, reader.get(), &cache, &clock,
        ExpertPipelineOptions{.loader = {.request_bytes_max = options.request_bytes_max},
                              .keep_experts = options.keep_experts,
                              .look_ahead = options.look_ahead,
                              .near_guesses_per_row = kTopK});
  }

  static const TestFile& File() {
    static const TestFile file(FileBytes(MakeLayout()), 17);
    return file;
  }

  // The file's bytes, or a failed status and no bytes.
  void Check(const ReadyExpert& ready, ExpertLayerIndex layer) const {
    const ExpertExtents& extents = layout.of({layer, ready.expert});
    for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
      if (!ready.status.ok()) {
        ASSERT_EQ(ready.matrices[role], nullptr);
        continue;
      }
      ASSERT_EQ(ready.types[role], extents[role].type);
      const auto expected = File().bytes().subspan(extents[role].offset, extents[role].bytes);
      ASSERT_EQ(std::memcmp(expected.data(), ready.matrices[role], expected.size()), 0)
          << "layer " << layer.value << " expert " << ready.expert.value << " role " << role;
    }
  }

  // A layer as the forward pass does it; checks the bytes. What was given, in order.
  std::vector<ReadyExpert> RunLayer(std::uint32_t layer, std::span<const ExpertIndex> experts,
                                    std::size_t room = 1) {
    pipeline->Begin(ExpertLayerIndex{layer}, {}, experts);
    std::vector<ReadyExpert> given;
    std::vector<ReadyExpert> ready(room);
    while (const std::size_t count = pipeline->NextReady(ready)) {
      for (std::size_t i = 0; i < count; ++i) {
        Check(ready[i], ExpertLayerIndex{layer});
        given.push_back(ready[i]);
      }
      pipeline->Release(std::span(ready).first(count));
    }
    return given;
  }

  const ExpertLayout layout = MakeLayout();
  const SlotClasses classes;
  SlotSlab slab;
  ExpertCache cache;
  FakeClock clock;
  std::vector<StorageFile> files;
  std::unique_ptr<FaultyReader> reader;
  std::optional<ExpertPipeline> pipeline;
};

inline std::vector<ExpertIndex> Experts(std::initializer_list<std::uint32_t> indices) {
  std::vector<ExpertIndex> experts;
  for (const std::uint32_t index : indices) experts.push_back(ExpertIndex{index});
  return experts;
}

inline std::vector<ExpertIndex> AllExperts() { return Experts({0, 1, 2, 3, 4, 5, 6, 7}); }

}  // namespace edgemoe
