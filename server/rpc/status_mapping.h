// SPDX-License-Identifier: Apache-2.0
//
// The one place where our Status becomes gRPC's.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>

#include "engine/base/status.h"

namespace edgemoe {

// Tells a client that was refused when to try again, in the trailers: ours, which people and
// scripts read, and the one that gRPC's clients with a retry policy obey.
void AddRetryDelay(grpc::ServerContextBase& context, std::uint32_t retry_delay_ms);

// Messages are cut to what fits a trailer.
grpc::Status ToGrpcStatus(const Status& status);

}  // namespace edgemoe
