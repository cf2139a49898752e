// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/errno_status.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace edgemoe {
namespace {

TEST(ErrnoStatusTest, CodesAndText) {
  EXPECT_EQ(ErrnoStatus(ENOENT, "open: a").code(), StatusCode::kNotFound);
  EXPECT_EQ(ErrnoStatus(EACCES, "").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrnoStatus(ENOMEM, "").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus(EIO, "").code(), StatusCode::kDataLoss);
  EXPECT_EQ(ErrnoStatus(EAGAIN, "").code(), StatusCode::kUnavailable);
  EXPECT_EQ(ErrnoStatus(ENOSYS, "").code(), StatusCode::kUnimplemented);
  EXPECT_EQ(ErrnoStatus(99999, "").code(), StatusCode::kUnknown);
  EXPECT_EQ(ErrnoStatus(ENOENT, "open: a").message(), "open: a: No such file or directory");
}

}  // namespace
}  // namespace edgemoe
