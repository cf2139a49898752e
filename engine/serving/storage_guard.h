// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a loaded model whose files change, or can no longer be read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/mutex.h"
#include "engine/io/block_reader.h"
#include "engine/io/storage_file.h"
#include "engine/load/expert_stack.h"
#include "engine/load/model_parts.h"

namespace edgemoe {

// Files in doubt (see ExpertVerifier) are opened again by their paths. They are the same model's if
// size and header are the same and every expert's checksum is known: then requests go on, and each
// expert is compared when it is next read. An expert that gave rise to the doubt is read and
// compared first.
//
// Otherwise the model is unavailable, and that is tried again after kRetryFirstNs, twice as long
// each time up to kRetryLastNs, kTriesMax times; never where checksums are missing, for trying
// again could find nothing that is not known now.
//
// Threads: confined to the engine's thread between steps, but for `status`.
class StorageGuard {
 public:
  // All outlive this object.
  struct Parts {
    std::vector<ModelPart> model;  // as it was loaded
    std::vector<StorageFile>* files = nullptr;
    BlockReader* reader = nullptr;
    ExpertStack* stack = nullptr;
    const Clock* clock = nullptr;
    LogSink log;
    std::function<void()> on_change;  // `status` has; may be empty
  };
  explicit StorageGuard(Parts parts) : parts_(std::move(parts)) {}

  static constexpr std::uint64_t kRetryFirstNs = 1'000'000'000;
  static constexpr std::uint64_t kRetryLastNs = 60'000'000'000;
  static constexpr std::uint32_t kTriesMax = 200;  // in all about three hours

  // Looks at the files and does what is to be done now. Gives when it is to be called next at the
  // latest; none: before the next step.
  std::optional<std::uint64_t> Look();

  // OK, or UNAVAILABLE with what is wrong, naming the file. Thread-safe.
  Status status() const EXCLUDES(mutex_);

 private:
  std::optional<std::uint64_t> Try();
  Status Reopen();
  void Recovered();
  std::optional<std::uint64_t> Failed(const Status& cause);
  void Publish(const Status& status) EXCLUDES(mutex_);
  void Log(LogLevel level, const std::string& line) const;

  const Parts parts_;
  std::uint32_t tries_ = 0;  // that failed; 0: the model is available
  std::uint64_t next_try_ns_ = 0;
  std::optional<ExpertKey> suspect_;
  bool hopeless_ = false;
  mutable Mutex mutex_;
  Status published_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
