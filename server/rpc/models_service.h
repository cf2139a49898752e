// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.Models over gRPC: joins each call to its body in server/calls/models.h.
#pragma once

#include "edgemoe/v1/models.grpc.pb.h"
#include "server/calls/service_parts.h"

namespace edgemoe {

// Each method takes and gives bytes: see message_bytes.h.
class ModelsService final
    : public v1::Models::WithRawCallbackMethod_List<
          v1::Models::WithRawCallbackMethod_Get<v1::Models::WithRawCallbackMethod_Plan<
              v1::Models::WithRawCallbackMethod_Pack<v1::Models::Service>>>> {
 public:
  // `parts` outlives the service.
  explicit ModelsService(const ServiceParts& parts) : parts_(parts) {}

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
  const ServiceParts& parts_;
};

}  // namespace edgemoe
