// SPDX-License-Identifier: Apache-2.0
//
// The bodies of edgemoe.v1.ObserveService, for any front end, on a worker: see
// proto/edgemoe/v1/observe.proto.
#pragma once

#include <memory>

#include "edgemoe/v1/models.pb.h"
#include "edgemoe/v1/observe.pb.h"
#include "server/calls/service_parts.h"
#include "server/calls/streams/record_stream.h"

namespace edgemoe::calls {

Status GetStats(const v1::GetStatsRequest& request, v1::GetStatsResponse& response,
                const ServiceParts& parts, const Caller& caller);
Status Resize(const v1::ResizeRequest& request, v1::ResizeResponse& response,
              const ServiceParts& parts, const Caller& caller);
Status Probe(const v1::ProbeRequest& request, v1::ProbeResponse& response,
             const ServiceParts& parts, const Caller& caller);

// Starts a recording that tells the stream, or refuses the call.
void RecordTrace(const v1::RecordTraceRequest& request, const std::shared_ptr<RecordStream>& stream,
                 const ServiceParts& parts, const Caller& caller);

}  // namespace edgemoe::calls
