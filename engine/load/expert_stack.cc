// SPDX-License-Identifier: Apache-2.0
#include "engine/load/expert_stack.h"

#include <utility>

#include "engine/cache/policy_factory.h"

namespace edgemoe {
namespace {

ExpertPipelineOptions WithVerifier(ExpertPipelineOptions options, ExpertVerifier& verifier) {
  options.loader.verifier = &verifier;
  return options;
}

}  // namespace

ExpertStack::ExpertStack(const Parts& parts, const Options& options, SlotSlab slab,
                         const EvictionPolicyFactory& policy)
    : slab_(std::move(slab)),
      cache_(options.classes, &slab_, policy, options.sessions_max),
      verifier_(parts.layout, parts.files, options.verify),
      pipeline_(parts.layout, &parts.reader, &cache_, &parts.clock,
                WithVerifier(options.pipeline, verifier_)) {}

Result<std::unique_ptr<ExpertStack>> ExpertStack::Open(const Parts& parts, const Options& options) {
  EDGEMOE_ASSIGN_OR_FAIL(const EvictionPolicyFactory policy,
                         FindEvictionPolicy(options.eviction_policy));
  EDGEMOE_ASSIGN_OR_FAIL(SlotSlab slab, SlotSlab::Create(options.classes, options.slab_bytes));
  return std::unique_ptr<ExpertStack>(new ExpertStack(parts, options, std::move(slab), policy));
}

}  // namespace edgemoe
