// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "download/hub/hub_client.h"
#include "engine/base/status.h"

namespace edgemoe {

// Answers one request of the daemon (download/protocol/pull_lines.h), read from `input`, on
// `output`; both may be one socket. When `input` ends, or `output` takes nothing more, the download
// does. `own_hub`: where the request names none; `cancelled` may also be set by others. Gives the
// status of the download, or of a request that was none.
Status ServePull(int input, int output, const Hub& own_hub, std::atomic<bool>& cancelled);

}  // namespace edgemoe
