// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/status.h"
#include "engine/base/status.h"

namespace edgemoe::cli {

// What failed on this machine, as what a call failed with: the codes are the same.
inline client::Status ToClient(const Status& status) {
  return {static_cast<client::StatusCode>(status.code()), status.message()};
}

}  // namespace edgemoe::cli
