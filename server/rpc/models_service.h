// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.ModelsService over gRPC: joins each call to its body in server/calls/models.h.
#pragma once

#include "edgemoe/v1/models.grpc.pb.h"
#include "server/rpc/front_end.h"

namespace edgemoe {

// Each method takes and gives bytes: see message_bytes.h.
class ModelsService final
    : public v1::ModelsService::WithRawCallbackMethod_ListModels<
          v1::ModelsService::WithRawCallbackMethod_GetModel<
              v1::ModelsService::WithRawCallbackMethod_Plan<
                  v1::ModelsService::WithRawCallbackMethod_Pack<v1::ModelsService::Service>>>> {
 public:
  // `front_end` outlives the service.
  explicit ModelsService(const FrontEnd& front_end) : front_end_(front_end) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Plan(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Pack(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override;

 private:
  const FrontEnd& front_end_;
};

}  // namespace edgemoe
