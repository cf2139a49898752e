// SPDX-License-Identifier: Apache-2.0
//
// The body of ModelsService.PlanRepository, for any front end, on a worker: see
// proto/edgemoe/v1/models.proto.
#pragma once

#include <memory>

#include "edgemoe/v1/models.pb.h"
#include "server/calls/service_parts.h"
#include "server/calls/streams/plan_stream.h"

namespace edgemoe::calls {

// Starts a run that tells the stream, or refuses the call.
void PlanRepository(const v1::PlanRepositoryRequest& request,
                    const std::shared_ptr<PlanStream>& stream, const ServiceParts& parts,
                    const Caller& caller);

}  // namespace edgemoe::calls
