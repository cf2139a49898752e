// SPDX-License-Identifier: Apache-2.0
#include "server/observe_service.h"

#include "server/process_memory.h"
#include "server/translate_models.h"
#include "server/unary_call.h"

namespace edgemoe {

grpc::ServerUnaryReactor* ObserveService::GetStats(grpc::CallbackServerContext* context,
                                                   const v1::GetStatsRequest*,
                                                   v1::Stats* response) {
  return RunUnary(*context, parts_.workers, [this, response]() -> Status {
    EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(""));
    *response = ToApi(engine->GetStats(), ReadProcessMemory());
    response->set_version(EDGEMOE_VERSION);
    response->set_model(engine->model().name);
    return OkStatus();
  });
}

}  // namespace edgemoe
