// SPDX-License-Identifier: Apache-2.0
//
// What edgemoed's exit code says. 64 to 78 are those of sysexits.h. systemd/edgemoed.service does
// not restart after a code that a restart would only repeat.
#pragma once

#include "engine/base/status.h"

namespace edgemoe {

enum class ExitCode : int {
  kOk = 0,                // stopped by a signal, every request had ended or was cancelled
  kUsage = 64,            // a flag is unknown or its value is bad
  kModelDamaged = 65,     // the model is no GGUF file, is damaged, or is of an unsupported kind
  kModelUnreadable = 66,  // the model does not exist or may not be read
  kInternal = 70,         // a bug, or the system refused something vital
  kCannotListen = 73,     // a socket or its directory cannot be made
  kForced = 75,           // a third signal ended the daemon before its requests had ended
  kConfig = 78,           // the configuration is bad: a value, the file, or a key that is not set
  kBudgetTooSmall = 80,   // memory.budget is below the least that works
  kAlreadyRunning = 81,   // another daemon is on the socket
};

// Why a model could not be opened, as Engine::Open said it; `is_option`: one of its options was
// bad.
ExitCode ExitCodeForOpenFailure(const Status& status, bool is_option);

// Why the daemon could not listen.
ExitCode ExitCodeForListenFailure(const Status& status);

}  // namespace edgemoe
