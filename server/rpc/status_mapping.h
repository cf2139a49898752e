// SPDX-License-Identifier: Apache-2.0
//
// The one place where our Status becomes gRPC's.
#pragma once

#include <grpcpp/support/status.h>

#include "engine/base/status.h"

namespace edgemoe {

// Trailer of a refusal by a full queue: milliseconds after which to try again.
constexpr const char* kRetryDelayTrailer = "retry-delay-ms";

// Messages are cut to what fits a trailer.
grpc::Status ToGrpcStatus(const Status& status);

}  // namespace edgemoe
