// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/modes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/io/throttled_reader.h"
#include "engine/option_table.h"
#include "engine/stream/baselines/layer_stream_source.h"
#include "engine/stream/baselines/mapped_source.h"

namespace edgemoe {
namespace {

// Where `name` is among `names`.
Result<std::size_t> IndexIn(std::span<const std::string_view> names, std::string_view name) {
  const auto at = std::ranges::find(names, name);
  if (at == names.end()) return Failure(NotAccepted(ShowValue(name), AcceptedNames(names)));
  return static_cast<std::size_t>(at - names.begin());
}

// Bandwidth of sequential reads; latency of one random read of 4 KiB alone, its transfer included,
// from what makers state of a typical one.
// In the order of kStorageProfileNames.
constexpr std::array<StorageProfile, kStorageProfileNames.size()> kProfiles = {{
    {},
    // PCIe 3.0 x4: 3,500 MB/s and 12,500 to 15,000 reads a second at depth 1 (Samsung 970 EVO).
    {3'500'000'000, 80'000},
    // The same on the one PCIe 2.0 lane of a Raspberry Pi 5: 430 MB/s of the link's 500.
    {430'000'000, 100'000},
    // The paper's: Samsung 860 EVO, 550 MB/s, 10,000 reads a second at depth 1.
    {550'000'000, 100'000},
    // The paper's class of card, UHS-I at 90 MB/s; class A1 guarantees 1,500 reads a second.
    {90'000'000, 667'000},
}};

// Experts given at once are released before the next ones, so a slab of any size will do.
constexpr std::size_t kReadTogether = 1;

}  // namespace

Result<EngineMode> ParseEngineMode(std::string_view text) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::size_t index, IndexIn(kEngineModeNames, text));
  return static_cast<EngineMode>(index);
}

Result<VerifyMode> ParseVerifyMode(std::string_view text) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::size_t index, IndexIn(kVerifyNames, text));
  return static_cast<VerifyMode>(index);
}

bool HasCache(EngineMode mode) {
  return mode != EngineMode::kLayerStream && mode != EngineMode::kMapped;
}

SlotClasses SlotClassesFor(EngineMode mode, std::uint32_t top_k, SlotClasses classes) {
  if (mode == EngineMode::kOnDemand) return WithLayerFloors(std::move(classes), top_k);
  if (mode != EngineMode::kResident) return classes;
  for (SlotClass& slot_class : classes.classes) slot_class.slot_floor = slot_class.expert_count;
  return classes;
}

ExpertMemory ExpertMemoryFor(EngineMode mode, const ExpertLayout& layout,
                             const SlotClasses& classes) {
  switch (mode) {
    case EngineMode::kEdgeMoe: break;
    case EngineMode::kResident:
      return {SlabBytesMax(classes), SlabBytesMax(classes), "all experts",
              "resident: all experts are read at load"};
    case EngineMode::kOnDemand:
      return {SlabBytesMin(classes), SlabBytesMin(classes), "one layer's demand",
              "on-demand: room for the experts of one token in one layer, none is kept"};
    case EngineMode::kLayerStream: {
      const std::uint64_t bytes = LayerStreamSource::MemoryBytes(layout);
      return {bytes, bytes, "two layers", "layer-stream: two buffers of one layer's experts"};
    }
    case EngineMode::kMapped:
      return {0, 0, "nothing",
              "mmap: the page cache that holds the experts is outside this budget"};
  }
  return {SlabBytesMin(classes), SlabBytesMax(classes), "one token's demand", ""};
}

Result<std::unique_ptr<ExpertSource>> MakeBaselineSource(EngineMode mode,
                                                         const BaselineParts& parts) {
  EDGEMOE_CHECK(!HasCache(mode), "this mode has a pipeline");
  if (mode == EngineMode::kLayerStream)
    return std::make_unique<LayerStreamSource>(parts.layout, parts.reader, parts.memory,
                                               parts.clock);
  return MappedSource::Open(parts.layout, parts.paths, parts.clock);
}

Status ReadAllExperts(const ExpertLayout& layout, ExpertSource& source) {
  std::vector<ExpertIndex> experts;
  std::array<ReadyExpert, kReadTogether> ready;
  Status status;
  for (std::uint32_t layer = 0; layer < layout.layer_count && status.ok(); ++layer) {
    experts.clear();
    for (std::uint32_t expert = 0; expert < layout.experts_per_layer; ++expert)
      if (SlotBytesFor(layout.of({ExpertLayerIndex{layer}, ExpertIndex{expert}})) > 0)
        experts.push_back(ExpertIndex{expert});
    source.Begin(ExpertLayerIndex{layer}, {}, experts);
    while (const std::size_t count = source.NextReady(ready)) {
      for (std::size_t i = 0; i < count; ++i)
        if (status.ok()) status = ready[i].status;
      source.Release(std::span(ready).first(count));
    }
  }
  return status;
}

Result<StorageProfile> ParseStorageProfile(std::string_view name, double scale) {
  EDGEMOE_CHECK(scale > 0, "no speed");
  EDGEMOE_ASSIGN_OR_FAIL(const std::size_t index, IndexIn(kStorageProfileNames, name));
  StorageProfile profile = kProfiles[index];
  if (profile.bytes_per_second != 0)
    profile.bytes_per_second = static_cast<std::uint64_t>(
        std::max(1.0, std::round(static_cast<double>(profile.bytes_per_second) * scale)));
  return profile;
}

std::unique_ptr<BlockReader> AddStorageProfile(std::unique_ptr<BlockReader> reader,
                                               const StorageProfile& profile, const Clock& clock) {
  if (profile.bytes_per_second == 0 && profile.latency_ns == 0) return reader;
  return std::make_unique<ThrottledReader>(
      std::move(reader), ThrottledReader::Options{.bytes_per_second = profile.bytes_per_second,
                                                  .latency_ns = profile.latency_ns,
                                                  .clock = &clock,
                                                  .sleep = {}});
}

}  // namespace edgemoe
