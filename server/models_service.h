// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.Models, see proto/edgemoe/v1/models.proto.
#pragma once

#include <vector>

#include "edgemoe/v1/models.grpc.pb.h"
#include "server/service_parts.h"

namespace edgemoe {

class ModelsService final : public v1::Models::CallbackService {
 public:
  // `parts` outlives the service.
  explicit ModelsService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListModelsRequest* request,
                                 v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const v1::GetModelRequest* request, v1::Model* response) override;
  grpc::ServerUnaryReactor* Plan(grpc::CallbackServerContext* context,
                                 const v1::PlanRequest* request,
                                 v1::PlanResponse* response) override;

 private:
  // The loaded one first, then the directory's. An unreadable directory is an error.
  Result<std::vector<v1::Model>> Models() const;
  Result<v1::Model> Find(const std::string& name) const;

  const ServiceParts& parts_;
};

}  // namespace edgemoe
