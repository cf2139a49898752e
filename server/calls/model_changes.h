// SPDX-License-Identifier: Apache-2.0
//
// The bodies of those calls of edgemoe.v1.ModelsService that change which models there are, for any
// front end, on a worker: see proto/edgemoe/v1/models.proto.
#pragma once

#include <memory>

#include "edgemoe/v1/models.pb.h"
#include "server/calls/service_parts.h"
#include "server/calls/streams/pull_stream.h"

namespace edgemoe::calls {

// Starts or joins a download that tells the stream, or refuses the call.
void Pull(const v1::PullRequest& request, const std::shared_ptr<PullStream>& stream,
          const ServiceParts& parts, const Caller& caller);
Status CancelPull(const v1::CancelPullRequest& request, v1::CancelPullResponse& response,
                  const ServiceParts& parts, const Caller& caller);
Status AddModel(const v1::AddModelRequest& request, v1::AddModelResponse& response,
                const ServiceParts& parts, const Caller& caller);
Status RemoveModel(const v1::RemoveModelRequest& request, v1::RemoveModelResponse& response,
                   const ServiceParts& parts, const Caller& caller);

}  // namespace edgemoe::calls
