// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "engine/base/usable_memory.h"
#include "engine/engine_loaded.h"
#include "engine/engine_model.h"
#include "engine/engine_options.h"
#include "engine/engine_plan.h"

namespace edgemoe {

Result<ModelDescription> DescribeModel(const std::string& path) {
  EDGEMOE_ASSIGN_OR_FAIL(const ModelHeader header, ReadModelHeader(path));
  return DescribeHeader(header, "");
}

Result<MemoryPlan> PlanMemory(const EngineOptions& options) {
  EDGEMOE_FAIL_IF_ERROR(ValidateOptions(options));
  EDGEMOE_ASSIGN_OR_FAIL(const ModelHeader header, ReadModelHeader(options.model_path));
  return MakePlan(header, LimitsFor(header, options), options, UsableMemoryBytes());
}

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options, OpenProgress progress) {
  return LoadedEngine::Open(std::move(options), progress);
}

}  // namespace edgemoe
