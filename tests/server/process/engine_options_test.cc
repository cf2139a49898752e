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

TEST(EngineOptionsTest, AModelsSectionIsFoundByItsName) {
  Config config;
  config.model_settings["demo"] = {{"sampling.top_k", std::uint64_t{5}}};
  config.model_settings["given"] = {{"sampling.top_k", std::uint64_t{6}}};
  config.engine.model_path = "/models/demo-00001-of-00002.gguf";
  EXPECT_EQ(ToEngineOptions(config, {}).top_k, 5);
  EXPECT_EQ(OptionsOfFile(config, "/models/demo.gguf").top_k, 5);
  config.engine.model_name = "given";
  EXPECT_EQ(ToEngineOptions(config, {}).top_k, 6);
  EXPECT_EQ(OptionsOfFile(config, config.engine.model_path).top_k, 6);
  const EngineOptions other = OptionsOfFile(config, "/models/other.gguf");
  EXPECT_FALSE(other.top_k);
  EXPECT_EQ(other.model_path, "/models/other.gguf");
  EXPECT_EQ(other.model_name, "");
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
