// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/cache/expert_cache.h"
#include "engine/cache/slot_slab.h"
#include "engine/io/block_reader.h"
#include "engine/io/storage_file.h"
#include "engine/stream/pipeline/expert_pipeline.h"
#include "engine/stream/pipeline/verifier.h"

namespace edgemoe {

// Experts on storage with a cache over them: slab, policy, cache, verifier and pipeline, in the
// order in which they need each other. Confined to the thread that runs the model.
class ExpertStack {
 public:
  struct Parts {
    const ExpertLayout& layout;  // as the next three, outlives the stack
    std::span<const StorageFile> files;
    BlockReader& reader;
    const Clock& clock;
  };
  struct Options {
    SlotClasses classes;
    std::uint64_t slab_bytes = 0;
    std::string eviction_policy = "lfru";
    std::uint32_t sessions_max = 1;
    VerifyMode verify = VerifyMode::kSample;
    // The stack puts in its own verifier.
    ExpertPipelineOptions pipeline{};
  };
  // INVALID_ARGUMENT for an unknown policy; RESOURCE_EXHAUSTED when the system has no memory. Fixed
  // buffers of the reader are left to the caller.
  static Result<std::unique_ptr<ExpertStack>> Open(const Parts& parts, const Options& options);

  SlotSlab& slab() { return slab_; }
  ExpertCache& cache() { return cache_; }
  const ExpertCache& cache() const { return cache_; }
  ExpertVerifier& verifier() { return verifier_; }
  ExpertPipeline& pipeline() { return pipeline_; }
  const ExpertPipeline& pipeline() const { return pipeline_; }

 private:
  ExpertStack(const Parts& parts, const Options& options, SlotSlab slab,
              const EvictionPolicyFactory& policy);

  SlotSlab slab_;
  ExpertCache cache_;
  ExpertVerifier verifier_;
  ExpertPipeline pipeline_;
};

}  // namespace edgemoe
