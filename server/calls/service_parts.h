// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "server/calls/caller.h"
#include "server/calls/request_table.h"
#include "server/calls/retry_delay.h"
#include "server/calls/translate/requests.h"
#include "server/jobs/header_runner.h"
#include "server/jobs/pack_runner.h"
#include "server/jobs/pull_runner.h"
#include "server/memory/request_memory.h"
#include "server/memory/shared_budget.h"
#include "server/models/catalogue.h"
#include "server/models/engine_slot.h"
#include "server/models/foreign_models.h"
#include "server/threads/stream_thread.h"
#include "server/threads/worker_pool.h"

namespace edgemoe {

// What the bodies of calls work with; its owner outlives every call.
struct ServiceParts {
  EngineSlot& engines;
  SharedBudget& budget;
  PackRunner& packs;
  PullRunner& pulls;
  HeaderRunner& headers;
  WorkerPool& workers;
  StreamThread& streams;
  RequestMemory& requests;
  RetryDelay& retry_delay;
  RequestTable& live;
  std::function<EngineOptions()> engine_options;  // of the loaded model; the defaults of Plan
  // What a model's file would be loaded with.
  std::function<EngineOptions(const std::string& model_path)> options_of;
  std::string models_directory;
  SeedSource new_seed;
  // An error about the engine's options in the words of the configuration; others as they are.
  std::function<Status(const Status&)> in_configuration;
  LogSink log;
  Catalogue catalogue{};
  ForeignPlaces foreign_places{};  // of models that other programs keep
};

// The plan with an explanation in the words of the configuration.
inline MemoryPlan InConfiguration(MemoryPlan plan, const ServiceParts& parts) {
  if (!plan.shortage.ok()) plan.explanation = parts.in_configuration(plan.shortage).message();
  return plan;
}

}  // namespace edgemoe
