// SPDX-License-Identifier: Apache-2.0
#include "engine/base/status.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace edgemoe {
namespace {

TEST(StatusTest, DefaultIsOk) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(OkStatus(), Status());
  EXPECT_EQ(OkStatus().ToString(), "OK");
}

TEST(StatusTest, NamesCodeAndMessage) {
  const Status status = DataLossError("read layer 3");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "read layer 3");
  EXPECT_EQ(status.ToString(), "DATA_LOSS: read layer 3");
}

TEST(StatusTest, ContextGoesInFrontOfErrorsOnly) {
  EXPECT_EQ(NotFoundError("key").WithContext("file"), NotFoundError("file: key"));
  EXPECT_EQ(OkStatus().WithContext("file"), OkStatus());
}

TEST(StatusTest, EveryCodeHasItsOwnName) {
  std::set<std::string> names;
  for (int code = 0; code <= 16; ++code)
    names.insert(StatusCodeName(static_cast<StatusCode>(code)));
  EXPECT_EQ(names.size(), 17u);
  EXPECT_TRUE(names.contains("RESOURCE_EXHAUSTED"));
}

TEST(StatusTest, MakersGiveTheirCode) {
  EXPECT_EQ(CancelledError("").code(), StatusCode::kCancelled);
  EXPECT_EQ(InvalidArgumentError("").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DeadlineExceededError("").code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(AlreadyExistsError("").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(PermissionDeniedError("").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(ResourceExhaustedError("").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(FailedPreconditionError("").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(OutOfRangeError("").code(), StatusCode::kOutOfRange);
  EXPECT_EQ(UnimplementedError("").code(), StatusCode::kUnimplemented);
  EXPECT_EQ(InternalError("").code(), StatusCode::kInternal);
  EXPECT_EQ(UnavailableError("").code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace edgemoe
