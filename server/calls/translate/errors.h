// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/status.h"
#include "google/rpc/status.pb.h"

namespace edgemoe {

// How an error looks from outside: code, message and details as proto/edgemoe/v1/errors.proto has
// them. The message is cut to what a trailer holds.
google::rpc::Status ToApi(const Status& status, std::optional<std::uint32_t> retry_delay_ms);

// When the same call may succeed: where places or the model are waited for. `place_delay_ms` is
// when a place becomes free.
std::optional<std::uint32_t> RetryDelayMs(const Status& status, std::uint32_t place_delay_ms);

}  // namespace edgemoe
