// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.Models, see proto/edgemoe/v1/models.proto.
#pragma once

#include <vector>

#include "edgemoe/v1/models.grpc.pb.h"
#include "server/jobs/pack_runner.h"
#include "server/rpc/service_parts.h"

namespace edgemoe {

// Each method takes and gives bytes: see message_bytes.h.
class ModelsService final
    : public v1::Models::WithRawCallbackMethod_List<
          v1::Models::WithRawCallbackMethod_Get<v1::Models::WithRawCallbackMethod_Plan<
              v1::Models::WithRawCallbackMethod_Pack<v1::Models::Service>>>> {
 public:
  // `parts` outlives the service.
  explicit ModelsService(const ServiceParts& parts)
      : parts_(parts), packs_(parts.budget, parts.log) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const grpc::ByteBuffer* request,
                                grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Plan(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Pack(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override;

 private:
  // The loaded one first, then the directory's. An unreadable directory is an error.
  Result<std::vector<v1::Model>> Models() const;
  Result<v1::Model> Find(const std::string& name) const;

  const ServiceParts& parts_;
  PackRunner packs_;
};

}  // namespace edgemoe
