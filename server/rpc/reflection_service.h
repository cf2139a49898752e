// SPDX-License-Identifier: Apache-2.0
//
// grpc.reflection.v1 over gRPC. The library's own plugin serves the draft of the same name,
// v1alpha, which older clients ask for.
#pragma once

#include "grpc/reflection/v1/reflection.grpc.pb.h"

namespace edgemoe {

// Describes what is compiled in; thread-safe, without state.
class ReflectionService final : public grpc::reflection::v1::ServerReflection::CallbackService {
 public:
  grpc::ServerBidiReactor<grpc::reflection::v1::ServerReflectionRequest,
                          grpc::reflection::v1::ServerReflectionResponse>*
  ServerReflectionInfo(grpc::CallbackServerContext* context) override;
};

}  // namespace edgemoe
