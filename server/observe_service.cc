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

}  // namespace edgemoe
