// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.Observe, see proto/edgemoe/v1/observe.proto.
#pragma once

#include "edgemoe/v1/observe.grpc.pb.h"
#include "server/service_parts.h"

namespace edgemoe {

class ObserveService final : public v1::Observe::CallbackService {
 public:
  // `parts` outlives the service.
  explicit ObserveService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* GetStats(grpc::CallbackServerContext* context,
                                     const v1::GetStatsRequest* request,
                                     v1::Stats* response) override;

 private:
  const ServiceParts& parts_;
};

}  // namespace edgemoe
