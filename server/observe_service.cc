// SPDX-License-Identifier: Apache-2.0
#include "server/observe_service.h"

#include "server/process_memory.h"
#include "server/translate_models.h"
#include "server/unary_call.h"

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
        EDGEMOE_ASSIGN_OR_RETURN(Engine * engine, parts_.engines.Find(""));
        EDGEMOE_ASSIGN_OR_RETURN(const MemoryPlan plan, engine->Resize(resize.budget_bytes()));
        response_plan = ToApi(plan);
        return OkStatus();
      });
}

}  // namespace edgemoe
