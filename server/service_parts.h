// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/log.h"
#include "server/engine_slot.h"
#include "server/retry_delay.h"
#include "server/shared_budget.h"
#include "server/translate_requests.h"
#include "server/worker_pool.h"

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
