// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/speed_input.h"

#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/system/processor.h"
#include "engine/kernels/dispatch.h"
#include "engine/serving/option_check.h"
#include "engine/serving/read_shape.h"
#include "engine/serving/warm_state.h"

namespace edgemoe {

ComputeKey ComputeKeyFor(const EngineOptions& options) {
  const Result<const KernelTable*> kernels = SelectKernels(options.kernels);
  EDGEMOE_CHECK(kernels, "options were validated");
  return {.processor = ProcessorName(),
          .kernels = (*kernels)->name,
          .threads = static_cast<std::uint32_t>(ThreadCount(options))};
}

std::string SpeedModelOf(const ModelDescription& description, const ExpertLayout& layout) {
  return std::to_string(ModelDigest(description, layout));
}

double ResidentShare(const MemoryPlan& plan) {
  if (!ReadsExperts(plan)) return 1;
  return static_cast<double>(plan.expert_bytes) / static_cast<double>(plan.expert_total_bytes);
}

bool ReadsExperts(const MemoryPlan& plan) { return plan.expert_bytes < plan.expert_total_bytes; }

SpeedInput MakeSpeedInput(const StepDemand& demand, const MemoryPlan& plan, ComputeProbe compute,
                          const ProbeReport* probe) {
  SpeedInput input;
  input.demand = demand;
  input.compute = std::move(compute);
  if (!ReadsExperts(plan)) return input;
  EDGEMOE_CHECK(probe != nullptr, "experts are read from storage that is not known");
  input.resident_share = ResidentShare(plan);
  // As ChooseReads gives them to the engine.
  input.request_bytes = plan.expert_total_bytes < kProbedExpertBytesMin ? ReadShape().request_bytes
                                                                        : probe->read_bytes;
  std::vector<StoragePoint> points;
  for (const ProbeReport::Point& point : probe->points)
    points.push_back({.read_bytes = static_cast<double>(point.read_bytes),
                      .depth = static_cast<double>(point.depth),
                      .bytes_per_second = point.bytes_per_second});
  input.storage.emplace(std::move(points));
  input.read_cpu_seconds_per_byte = probe->cpu_seconds_per_byte;
  return input;
}

}  // namespace edgemoe
