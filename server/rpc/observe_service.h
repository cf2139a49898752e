// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.Observe over gRPC: joins each call to its body in server/calls/observe.h.
#pragma once

#include "edgemoe/v1/observe.grpc.pb.h"
#include "server/calls/service_parts.h"

namespace edgemoe {

// Each method takes and gives bytes: see message_bytes.h.
class ObserveService final
    : public v1::Observe::WithRawCallbackMethod_GetStats<
          v1::Observe::WithRawCallbackMethod_Resize<v1::Observe::WithRawCallbackMethod_RecordTrace<
              v1::Observe::WithRawCallbackMethod_Probe<v1::Observe::Service>>>> {
 public:
  // `parts` outlives the service.
  explicit ObserveService(const ServiceParts& parts) : parts_(parts) {}

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
  const ServiceParts& parts_;
};

}  // namespace edgemoe
