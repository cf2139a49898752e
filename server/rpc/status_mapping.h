// SPDX-License-Identifier: Apache-2.0
//
// The one place where our Status becomes gRPC's.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>

#include "engine/base/status.h"

namespace edgemoe {

// Code, message and details, as proto/edgemoe/v1/errors.proto has them; where the call may be tried
// again, also the trailer that gRPC's own retries heed. `place_delay_ms`: see RetryDelayMs.
grpc::Status ToGrpcStatus(const Status& status, grpc::ServerContextBase& context,
                          std::uint32_t place_delay_ms);

// The same without the trailer, for who has none to give.
grpc::Status ToGrpcStatus(const Status& status);

}  // namespace edgemoe
