// SPDX-License-Identifier: Apache-2.0
#include "server/calls/observe.h"

#include <utility>

#include "engine/probe.h"
#include "server/calls/translate/descriptions.h"
#include "server/calls/translate/pack_messages.h"
#include "server/calls/translate/requests.h"
#include "server/memory/process_memory.h"

namespace edgemoe::calls {
namespace {

// The storage that counts: the loaded model's, or, without one, where models are kept.
Result<std::string> ProbedPath(const ServiceParts& parts) {
  const Result<EngineLease> engine = parts.engines.LeaseDefault();
  if (engine) return (*engine)->model().path;
  if (engine.error().reason() != Reason::kNoModel || parts.models_directory.empty())
    return Failure(engine.error());
  return parts.models_directory;
}

}  // namespace

Status GetStats(const v1::GetStatsRequest&, v1::GetStatsResponse& response,
                const ServiceParts& parts, const Caller& caller) {
  const Result<EngineLease> engine = parts.engines.LeaseDefault();
  if (!engine && engine.error().reason() != Reason::kNoModel) return engine.error();
  EngineStats stats;
  if (engine) stats = (*engine)->GetStats();
  stats.memory = InConfiguration(std::move(stats.memory), parts);
  response = ToApi(stats, ReadProcessMemory());
  response.set_version(EDGEMOE_VERSION);
  if (engine) response.set_model((*engine)->model().name);
  if (const auto job = parts.packs.running()) {
    v1::GetStatsResponse::PackJob& out = *response.mutable_pack_job();
    if (caller.is_administrator) {
      out.set_source_path(job->source_path);
      out.set_output_path(job->output_path);
    }
    if (job->step.phase_count > 0) *out.mutable_progress() = ToApi(job->step);
  }
  return OkStatus();
}

Status Resize(const v1::ResizeRequest& request, v1::ResizeResponse& response,
              const ServiceParts& parts, const Caller&) {
  EDGEMOE_ASSIGN_OR_RETURN(MemoryPlan plan, parts.budget.Resize(request.budget_bytes()));
  *response.mutable_plan() = ToApi(InConfiguration(std::move(plan), parts));
  return OkStatus();
}

Status Probe(const v1::ProbeRequest& request, v1::ProbeResponse& response,
             const ServiceParts& parts, const Caller&) {
  EDGEMOE_ASSIGN_OR_RETURN(const std::string path, ProbedPath(parts));
  const EngineOptions options = parts.engine_options();
  EDGEMOE_ASSIGN_OR_RETURN(const ProbeReport report,
                           ProbeStorage({.path = path,
                                         .state_directory = options.state_directory,
                                         .fresh = request.fresh(),
                                         .io_backend = options.io_backend}));
  response = ToApi(report);
  return OkStatus();
}

void RecordTrace(const v1::RecordTraceRequest& request, const std::shared_ptr<RecordStream>& stream,
                 const ServiceParts& parts, const Caller&) {
  Result<EngineLease> engine = parts.engines.LeaseDefault();
  if (!engine) return stream->Refuse(engine.error());
  const Result<std::uint32_t> time_limit_ms =
      ToTimeLimitMs("time_limit_seconds", request.time_limit_seconds());
  if (!time_limit_ms) return stream->Refuse(time_limit_ms.error());
  stream->Start(*std::move(engine), request.steps_max(), *time_limit_ms);
}

}  // namespace edgemoe::calls
