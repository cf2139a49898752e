// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/heartbeat.h"

namespace edgemoe {

// Tells a thread that hangs from one that is busy or has nothing to do, by looking at it now and
// then. Thread-compatible.
class ProgressWatch {
 public:
  // False: the thread neither rests nor has got on since the last look. The first look only notes.
  bool Look(const Pulse& pulse) {
    const bool got_on = pulse.rests || !beats_ || *beats_ != pulse.beats;
    beats_ = pulse.rests ? std::nullopt : std::optional(pulse.beats);
    return got_on;
  }

 private:
  std::optional<std::uint64_t> beats_;  // at the last look; none: it rested, or there was none
};

}  // namespace edgemoe
