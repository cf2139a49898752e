// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/log.h"
#include "server/memory/shared_budget.h"
#include "server/process/engine_slot.h"
#include "server/process/worker_pool.h"
#include "server/rpc/retry_delay.h"
#include "server/rpc/translate/requests.h"

namespace edgemoe {

// What the services share; its owner outlives them.
struct ServiceParts {
  EngineSlot& engines;
  SharedBudget& budget;
  WorkerPool& workers;
  StreamThread& streams;
  RetryDelay& retry_delay;
  EngineOptions engine_options;  // of the loaded model; the defaults of Plan
  std::string models_directory;
  SeedSource new_seed;
  LogSink log;
};

}  // namespace edgemoe
