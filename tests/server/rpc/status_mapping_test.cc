// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/status_mapping.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

TEST(StatusMappingTest, CodesKeepTheirNumbers) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status = ToGrpcStatus({static_cast<StatusCode>(code), "why"});
    EXPECT_EQ(static_cast<int>(status.error_code()), code);
    EXPECT_EQ(status.error_message(), "why");
  }
  EXPECT_TRUE(ToGrpcStatus(OkStatus()).ok());
  EXPECT_EQ(ToGrpcStatus(InternalError(std::string(100'000, 'x'))).error_message().size(), 2048U);
}

}  // namespace
}  // namespace edgemoe
