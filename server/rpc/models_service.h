// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.ModelsService over gRPC: joins each call to its body in server/calls/models.h,
// model_changes.h and repository_plan.h.
#pragma once

#include "edgemoe/v1/models.grpc.pb.h"
#include "server/rpc/front_end.h"

namespace edgemoe {

using RawModelChanges = v1::ModelsService::WithRawCallbackMethod_Pull<
    v1::ModelsService::WithRawCallbackMethod_CancelPull<
        v1::ModelsService::WithRawCallbackMethod_AddModel<
            v1::ModelsService::WithRawCallbackMethod_RemoveModel<
                v1::ModelsService::WithRawCallbackMethod_PlanRepository<
                    v1::ModelsService::Service>>>>>;

// Each method takes and gives bytes: see message_bytes.h.
class ModelsService final
    : public v1::ModelsService::WithRawCallbackMethod_ListModels<
          v1::ModelsService::WithRawCallbackMethod_ListCatalogue<
              v1::ModelsService::WithRawCallbackMethod_GetModel<
                  v1::ModelsService::WithRawCallbackMethod_Plan<
                      v1::ModelsService::WithRawCallbackMethod_Pack<RawModelChanges>>>>> {
 public:
  // `front_end` outlives the service.
  explicit ModelsService(const FrontEnd& front_end) : front_end_(front_end) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListCatalogue(grpc::CallbackServerContext* context,
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
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Pull(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* CancelPull(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* AddModel(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* RemoveModel(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* PlanRepository(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override;

 private:
  const FrontEnd& front_end_;
};

}  // namespace edgemoe
