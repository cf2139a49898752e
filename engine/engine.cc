// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "engine/base/system/usable_memory.h"
#include "engine/describe.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "engine/serving/describe_header.h"
#include "engine/serving/loaded_engine.h"
#include "engine/serving/memory_plan.h"
#include "engine/serving/option_check.h"

namespace edgemoe {

Result<ModelDescription> DescribeModel(const EngineOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(const ModelHeader header, ReadModelHeader(options.model_path));
  return DescribeHeader(header, options);
}

Result<ModelDescription> DescribeModel(const std::string& path) {
  EngineOptions options;
  options.model_path = path;
  return DescribeModel(options);
}

Result<MemoryPlan> PlanMemory(const EngineOptions& options) {
  EDGEMOE_FAIL_IF_ERROR(ValidateOptions(options));
  EDGEMOE_ASSIGN_OR_FAIL(const ModelHeader header, ReadModelHeader(options.model_path));
  const std::uint64_t usable_bytes = UsableMemoryBytes();
  return MakePlan(header, LimitsFor(header, options, usable_bytes), options, usable_bytes);
}

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options, OpenProgress progress) {
  return LoadedEngine::Open(std::move(options), progress);
}

Result<EngineOptions> Engine::Check(EngineOptions options) {
  return LoadedEngine::Check(std::move(options));
}

}  // namespace edgemoe
