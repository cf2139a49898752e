// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.Inference over gRPC: joins each call to its body in server/calls/inference.h.
#pragma once

#include "edgemoe/v1/inference.grpc.pb.h"
#include "server/calls/service_parts.h"

namespace edgemoe {

// Each method takes and gives bytes: see message_bytes.h.
class InferenceService final
    : public v1::Inference::WithRawCallbackMethod_Complete<
          v1::Inference::WithRawCallbackMethod_Chat<v1::Inference::WithRawCallbackMethod_Score<
              v1::Inference::WithRawCallbackMethod_Tokenize<
                  v1::Inference::WithRawCallbackMethod_Detokenize<
                      v1::Inference::WithRawCallbackMethod_ApplyTemplate<
                          v1::Inference::WithRawCallbackMethod_Abort<v1::Inference::Service>>>>>>> {
 public:
  // `parts` outlives the service.
  explicit InferenceService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Complete(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Chat(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Score(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Tokenize(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* Detokenize(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ApplyTemplate(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Abort(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;

 private:
  const ServiceParts& parts_;
};

}  // namespace edgemoe
