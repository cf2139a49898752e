// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/status_mapping.h"

#include <gtest/gtest.h>

#include "google/rpc/status.pb.h"

namespace edgemoe {
namespace {

TEST(StatusMappingTest, CodesKeepTheirNumbersAndDetailsSayTheSame) {
  for (int code = 1; code <= 16; ++code) {
    if (static_cast<StatusCode>(code) == StatusCode::kUnimplemented) continue;
    const bool is_field = static_cast<StatusCode>(code) == StatusCode::kOutOfRange;
    const Status status = is_field ? Status(StatusCode::kOutOfRange, "bits", "why")
                                   : Status(static_cast<StatusCode>(code), "why");
    const grpc::Status mapped = ToGrpcStatus(status);
    EXPECT_EQ(static_cast<int>(mapped.error_code()), code);
    EXPECT_EQ(mapped.error_message(), status.message());
    google::rpc::Status details;
    ASSERT_TRUE(details.ParseFromString(mapped.error_details()));
    EXPECT_EQ(details.code(), code);
    EXPECT_EQ(details.message(), status.message());
    EXPECT_GT(details.details_size(), 0);
  }
  EXPECT_TRUE(ToGrpcStatus(OkStatus()).ok());
}

}  // namespace
}  // namespace edgemoe
