// SPDX-License-Identifier: Apache-2.0
//
// The bodies of edgemoe.v1.ModelsService, for any front end, on a worker: see
// proto/edgemoe/v1/models.proto.
#pragma once

#include <memory>

#include "edgemoe/v1/models.pb.h"
#include "server/calls/service_parts.h"
#include "server/calls/streams/pack_stream.h"

namespace edgemoe::calls {

// An unreadable directory is an error.
Status ListCatalogue(const v1::ListCatalogueRequest& request, v1::ListCatalogueResponse& response,
                     const ServiceParts& parts, const Caller& caller);
Status ListModels(const v1::ListModelsRequest& request, v1::ListModelsResponse& response,
                  const ServiceParts& parts, const Caller& caller);
Status GetModel(const v1::GetModelRequest& request, v1::GetModelResponse& response,
                const ServiceParts& parts, const Caller& caller);
Status Plan(const v1::PlanRequest& request, v1::PlanResponse& response, const ServiceParts& parts,
            const Caller& caller);

// The job that a request asks for, with what the configuration says of such jobs; errors as
// ToPackOptions, and NOT_FOUND for the name of no model.
Result<PackOptions> PackJobOf(v1::PackRequest request, const ServiceParts& parts);

// Starts a job that tells the stream, or refuses the call.
void Pack(const v1::PackRequest& request, const std::shared_ptr<PackStream>& stream,
          const ServiceParts& parts, const Caller& caller);

}  // namespace edgemoe::calls
