// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/observe_service.h"

#include <memory>
#include <utility>

#include "engine/probe.h"
#include "server/memory/process_memory.h"
#include "server/rpc/message_bytes.h"
#include "server/rpc/record_call.h"
#include "server/rpc/translate/models.h"
#include "server/rpc/unary_call.h"

namespace edgemoe {

grpc::ServerUnaryReactor* ObserveService::GetStats(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request,
                                                   grpc::ByteBuffer* response) {
  return RunUnary<v1::GetStatsRequest, v1::Stats>(
      context, parts_.workers, request, response,
      [this](const v1::GetStatsRequest&, v1::Stats& stats) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(""));
        stats = ToApi(engine->GetStats(), ReadProcessMemory());
        stats.set_version(EDGEMOE_VERSION);
        stats.set_model(engine->model().name);
        return OkStatus();
      });
}

grpc::ServerUnaryReactor* ObserveService::Resize(grpc::CallbackServerContext* context,
                                                 const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
  return RunUnary<v1::ResizeRequest, v1::PlanResponse>(
      context, parts_.workers, request, response,
      [this](const v1::ResizeRequest& resize, v1::PlanResponse& response_plan) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const MemoryPlan plan,
                                 parts_.budget.Resize(resize.budget_bytes()));
        response_plan = ToApi(plan);
        return OkStatus();
      });
}

grpc::ServerUnaryReactor* ObserveService::Probe(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) {
  return RunUnary<v1::ProbeRequest, v1::ProbeResponse>(
      context, parts_.workers, request, response,
      [this](const v1::ProbeRequest& probe, v1::ProbeResponse& found) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(""));
        EDGEMOE_ASSIGN_OR_RETURN(
            const ProbeReport report,
            ProbeStorage({.path = engine->model().path,
                          .state_directory = parts_.engine_options.state_directory,
                          .fresh = probe.fresh(),
                          .io_backend = parts_.engine_options.io_backend}));
        found = ToApi(report);
        return OkStatus();
      });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ObserveService::RecordTrace(
    grpc::CallbackServerContext*, const grpc::ByteBuffer* request) {
  const std::shared_ptr<RecordCall> call = RecordCall::Make(parts_.streams, parts_.workers);
  RecordCall* const reactor = call.get();
  const auto start = [this, call, request]() -> Status {
    v1::RecordTraceRequest record;
    EDGEMOE_RETURN_IF_ERROR(ParseMessage(*request, record));
    EDGEMOE_ASSIGN_OR_RETURN(Engine * engine, parts_.engines.Find(""));
    EDGEMOE_ASSIGN_OR_RETURN(std::unique_ptr<RoutingRecording> recording, engine->RecordRouting());
    call->Start(std::move(recording), record);
    return OkStatus();
  };
  const bool posted = parts_.workers.TryPost([call, start] {
    if (const Status status = start(); !status.ok()) call->Refuse(status);
  });
  if (!posted)
    call->Refuse(ResourceExhaustedError("too many calls wait for an answer; try again later"));
  return reactor;
}

}  // namespace edgemoe
