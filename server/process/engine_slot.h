// SPDX-License-Identifier: Apache-2.0
//
// Where the services find the engine: empty while it loads. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "engine/engine.h"

namespace edgemoe {

class EngineSlot {
 public:
  void SetProgress(std::uint64_t bytes_loaded, std::uint64_t bytes_total) {
    bytes_loaded_ = bytes_loaded;
    bytes_total_ = bytes_total;
  }
  // Once. The engine must outlive every service.
  void Publish(Engine& engine) { engine_ = &engine; }

  // Null while the model loads.
  Engine* engine() const { return engine_; }

  // The engine of the model of that name; an empty name means the only one. UNAVAILABLE while it
  // loads; NOT_FOUND names the model that there is.
  Result<Engine*> Find(const std::string& name) const;

  // "loading 12 %".
  std::string Progress() const;

 private:
  std::atomic<Engine*> engine_ = nullptr;
  std::atomic<std::uint64_t> bytes_loaded_ = 0;
  std::atomic<std::uint64_t> bytes_total_ = 0;
};

}  // namespace edgemoe
