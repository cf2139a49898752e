// SPDX-License-Identifier: Apache-2.0
#include "server/process/engine_options.h"

#include <gtest/gtest.h>

#include "server/process/exit_codes.h"

namespace edgemoe {
namespace {

TEST(ExitCodesTest, TellWhatToDoAboutIt) {
  EXPECT_EQ(ExitCodeForOpenFailure(NotFoundError(""), false), ExitCode::kModelUnreadable);
  EXPECT_EQ(ExitCodeForOpenFailure(PermissionDeniedError(""), false), ExitCode::kModelUnreadable);
  EXPECT_EQ(ExitCodeForOpenFailure(InvalidArgumentError(""), false), ExitCode::kModelDamaged);
  EXPECT_EQ(ExitCodeForOpenFailure(ResourceExhaustedError(""), false), ExitCode::kBudgetTooSmall);
  EXPECT_EQ(ExitCodeForOpenFailure(InternalError(""), false), ExitCode::kInternal);
  EXPECT_EQ(ExitCodeForOpenFailure(InvalidArgumentError(""), true), ExitCode::kConfig);
  EXPECT_EQ(ExitCodeForOpenFailure(ResourceExhaustedError(""), true), ExitCode::kBudgetTooSmall);
  EXPECT_EQ(ExitCodeForListenFailure(AlreadyExistsError("")), ExitCode::kAlreadyRunning);
  EXPECT_EQ(ExitCodeForListenFailure(InvalidArgumentError("")), ExitCode::kConfig);
  EXPECT_EQ(ExitCodeForListenFailure(PermissionDeniedError("")), ExitCode::kCannotListen);
}

TEST(EngineOptionsTest, ErrorsNameTheKey) {
  constexpr StatusCode kCode = StatusCode::kResourceExhausted;
  const OptionError budget = InConfiguration({kCode, "memory_budget_bytes", "found 1"});
  EXPECT_TRUE(budget.is_option);
  EXPECT_EQ(budget.status, Status(kCode, "memory.budget", "found 1"));
  EXPECT_TRUE(InConfiguration(InvalidFieldError("kernels", "none")).is_option);
  const OptionError model = InConfiguration(InvalidArgumentError("threads: is a file's name"));
  EXPECT_FALSE(model.is_option) << "the field counts, not how the message begins";
  EXPECT_EQ(model.status.message(), "threads: is a file's name");
}

}  // namespace
}  // namespace edgemoe
