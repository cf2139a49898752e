// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/status_mapping.h"

#include <optional>
#include <string>

#include "server/calls/translate/errors.h"

namespace edgemoe {
namespace {

grpc::Status ToGrpcStatus(const Status& status, std::optional<std::uint32_t> retry_delay_ms) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status details = ToApi(status, retry_delay_ms);
  return {static_cast<grpc::StatusCode>(details.code()), details.message(),
          details.SerializeAsString()};
}

}  // namespace

grpc::Status ToGrpcStatus(const Status& status, grpc::ServerContextBase& context,
                          std::uint32_t place_delay_ms) {
  const std::optional<std::uint32_t> retry_delay_ms = RetryDelayMs(status, place_delay_ms);
  if (retry_delay_ms)
    context.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(*retry_delay_ms));
  return ToGrpcStatus(status, retry_delay_ms);
}

grpc::Status ToGrpcStatus(const Status& status) { return ToGrpcStatus(status, std::nullopt); }

}  // namespace edgemoe
