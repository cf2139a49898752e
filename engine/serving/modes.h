// SPDX-License-Identifier: Apache-2.0
//
// EngineOptions::mode, verify, storage_profile and storage_scale: the paper's baselines in the same
// engine, with the same kernels and the same results, and other storage than there is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/cache/slot_classes.h"
#include "engine/io/block_reader.h"
#include "engine/stream/expert_layout.h"
#include "engine/stream/expert_source.h"
#include "engine/stream/pipeline/verifier.h"

namespace edgemoe {

// ---- Modes ----

// In the order of kEngineModeNames.
enum class EngineMode : std::uint8_t {
  kEdgeMoe,   // cache, look-ahead, overlap: the engine itself
  kResident,  // IO-FREE: every expert is read at load and stays
  // IO-EXP: what the router names is read, each time, and forgotten after its use. All that one
  // layer names is asked for at once, for a program that reads one after another would lose to its
  // own laziness and not to the want of a cache.
  kOnDemand,
  kLayerStream,  // as STI: see LayerStreamSource
  kMapped,       // as a program that maps its file: see MappedSource
};

// INVALID_ARGUMENT names the mode and those that are accepted.
Result<EngineMode> ParseEngineMode(std::string_view text);

// INVALID_ARGUMENT names the one found and those that are accepted.
Result<VerifyMode> ParseVerifyMode(std::string_view text);

// Whether experts are in a slab with a cache over it.
bool HasCache(EngineMode mode);

// The slot classes with the floors of the mode: on-demand needs one layer's experts only, resident
// all of them.
SlotClasses SlotClassesFor(EngineMode mode, std::uint32_t top_k, SlotClasses classes);

// Expert memory that the mode can use: never less, never more.
struct ExpertMemory {
  std::uint64_t least_bytes = 0;
  std::uint64_t most_bytes = 0;
  const char* least_is = "";  // "one token's demand"
  std::string note;           // what people should know of this mode's memory; empty for kEdgeMoe
};
// `classes`: as SlotClassesFor gives them.
ExpertMemory ExpertMemoryFor(EngineMode mode, const ExpertLayout& layout,
                             const SlotClasses& classes);

// The source of a mode without a cache. All outlives the source. `memory`: most_bytes of the above,
// aligned to pages; `paths` by file index.
struct BaselineParts {
  const ExpertLayout& layout;
  BlockReader* reader = nullptr;
  std::span<std::byte> memory;
  std::span<const std::string> paths;
  const Clock* clock = nullptr;
};
Result<std::unique_ptr<ExpertSource>> MakeBaselineSource(EngineMode mode,
                                                         const BaselineParts& parts);

// Asks `source` for every expert of the model once, so that what it can keep is in memory.
// DATA_LOSS names the expert that cannot be read.
Status ReadAllExperts(const ExpertLayout& layout, ExpertSource& source);

// ---- Storage ----

// A device as ThrottledReader models it.
struct StorageProfile {
  std::uint64_t bytes_per_second = 0;  // 0: as fast as it is
  std::uint64_t latency_ns = 0;
};

// Bandwidth times `scale`, latency as it is: with scale = (bytes of this model's expert) / (bytes
// of a larger model's expert), to miss an expert costs here the time that it costs there.
// INVALID_ARGUMENT names the profile and those that are accepted. REQUIRES: scale > 0.
Result<StorageProfile> ParseStorageProfile(std::string_view name, double scale);

// Wraps `reader`; gives it back as it is for "real". `clock` outlives the result.
std::unique_ptr<BlockReader> AddStorageProfile(std::unique_ptr<BlockReader> reader,
                                               const StorageProfile& profile, const Clock& clock);

}  // namespace edgemoe
