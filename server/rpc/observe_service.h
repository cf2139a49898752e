// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.ObserveService over gRPC: joins each call to its body in server/calls/observe.h.
#pragma once

#include "edgemoe/v1/observe.grpc.pb.h"
#include "server/rpc/front_end.h"

namespace edgemoe {

// Each method takes and gives bytes: see message_bytes.h.
class ObserveService final
    : public v1::ObserveService::WithRawCallbackMethod_GetStats<
          v1::ObserveService::WithRawCallbackMethod_Resize<
              v1::ObserveService::WithRawCallbackMethod_RecordTrace<
                  v1::ObserveService::WithRawCallbackMethod_Probe<v1::ObserveService::Service>>>> {
 public:
  // `front_end` outlives the service.
  explicit ObserveService(const FrontEnd& front_end) : front_end_(front_end) {}

  grpc::ServerUnaryReactor* GetStats(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Resize(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Probe(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* RecordTrace(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request) override;

 private:
  const FrontEnd& front_end_;
};

}  // namespace edgemoe
