// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/policy_factory.h"

#include "engine/base/accepted.h"
#include "engine/cache/edgemoe_policy.h"
#include "engine/cache/lfru_policy.h"
#include "engine/cache/lfu_policy.h"
#include "engine/cache/lru_policy.h"

namespace edgemoe {

Result<EvictionPolicyFactory> FindEvictionPolicy(std::string_view name) {
  if (name == "lfru") return EvictionPolicyFactory(LfruPolicy::Make);
  if (name == "lru") return EvictionPolicyFactory(LruPolicy::Make);
  if (name == "lfu") return EvictionPolicyFactory(LfuPolicy::Make);
  if (name == "edgemoe") return EvictionPolicyFactory(EdgemoePolicy::Make);
  return Failure(NotAccepted(ShowValue(name), AcceptedNames(kEvictionPolicyNames)));
}

}  // namespace edgemoe
