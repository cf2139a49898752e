// SPDX-License-Identifier: Apache-2.0
#include "server/process/engine_slot.h"

#include "engine/base/accepted.h"

namespace edgemoe {

Result<Engine*> EngineSlot::Find(const std::string& name) const {
  Engine* const engine = engine_;
  if (engine == nullptr)
    return Failure(UnavailableError("the model is not ready: " + Progress() + "; try again"));
  if (!name.empty() && name != engine->model().name)
    return Failure(Status(StatusCode::kNotFound, "model",
                          FoundAndAccepted(ShowValue(name), ShowValue(engine->model().name) +
                                                                ", the loaded one, or empty")));
  return engine;
}

std::string EngineSlot::Progress() const {
  const std::uint64_t total = bytes_total_;
  if (total == 0) return "loading";
  const double share = static_cast<double>(bytes_loaded_) / static_cast<double>(total);
  return "loading " + std::to_string(static_cast<int>(100 * share)) + " %";
}

}  // namespace edgemoe
