// SPDX-License-Identifier: Apache-2.0
#include "server/process/start_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

auto Problem(const std::string& words, ExitCode code) {
  return AllOf(Field(&StartProblem::message, HasSubstr(words)),
               Field(&StartProblem::exit_code, code));
}

// A model of 10 layers that wants a budget of at least 1000.
Result<EngineOptions> CheckModel(EngineOptions options) {
  if (options.model_path != "m.gguf") return Failure(NotFoundError(options.model_path + ": none"));
  if (options.memory_budget_bytes != 0 && options.memory_budget_bytes < 1000)
    return Failure(Status(StatusCode::kResourceExhausted, "memory_budget_bytes", "at least 1000"));
  if (options.memory_budget_bytes == 0) options.memory_budget_bytes = 5000;
  options.threads = 3;
  return options;
}

class StartCheckTest : public ::testing::Test {
 protected:
  StartCheckTest() {
    config_.engine.model_path = "m.gguf";
    config_.listen.unix_socket = dir_ / "d.sock";
  }
  std::vector<StartProblem> Problems() const { return CheckStart(config_, CheckModel).problems; }

  TempFolder dir_;
  Config config_;
};

TEST_F(StartCheckTest, GoodOneHasNoProblemsAndTellsWhatIsInForce) {
  const StartCheck check = CheckStart(config_, CheckModel);
  EXPECT_THAT(check.problems, IsEmpty());
  EXPECT_EQ(check.in_force.engine.memory_budget_bytes, 5000U);
  EXPECT_EQ(check.in_force.engine.threads, 3U);
  EXPECT_EQ(check.in_force.memory.adapt, "on");
  EXPECT_EQ(check.in_force.log.target, "stderr");
  EXPECT_NE(::access(config_.listen.unix_socket.c_str(), F_OK), 0) << "a socket was made";
}

TEST_F(StartCheckTest, TheModelIsLookedAt) {
  config_.engine.model_path.clear();
  EXPECT_THAT(Problems(), IsEmpty()) << "one may come later";
  config_.engine.model_path = "other.gguf";
  EXPECT_THAT(Problems(), ElementsAre(Problem("other.gguf: none", ExitCode::kModelUnreadable)));
  config_.engine.model_path = "m.gguf";
  config_.engine.memory_budget_bytes = 999;
  EXPECT_THAT(Problems(),
              ElementsAre(Problem("memory.budget: at least 1000", ExitCode::kBudgetTooSmall)));
}

TEST_F(StartCheckTest, AModelsNameMeansItsFile) {
  config_.models.directory = dir_ / "models";
  config_.models.others = "off";
  std::filesystem::create_directory(config_.models.directory);
  std::ofstream(config_.models.directory + "/tiny-Q4_0.gguf") << "x";
  std::string opened;
  const auto check_model = [&](EngineOptions options) -> Result<EngineOptions> {
    opened = options.model_path;
    return options;
  };
  config_.engine.model_path = "tiny-Q4_0";
  EXPECT_THAT(CheckStart(config_, check_model).problems, IsEmpty());
  EXPECT_EQ(opened, config_.models.directory + "/tiny-Q4_0.gguf");
  config_.engine.model_path = "tiny-Q5_0";
  EXPECT_THAT(CheckStart(config_, check_model).problems,
              ElementsAre(Problem("model.path: found \"tiny-Q5_0\"; accepted: \"tiny-Q4_0\"",
                                  ExitCode::kModelUnreadable)));
}

TEST_F(StartCheckTest, AllProblemsAreTold) {
  config_.listen.unix_socket = dir_ / "a/b/d.sock";
  config_.listen.allow_groups = {"no-such-group"};
  config_.engine.model_path = "other.gguf";
  EXPECT_THAT(Problems(), ElementsAre(Problem("socket directory", ExitCode::kCannotListen),
                                      Problem("listen.allow_groups: found \"no-such-group\"",
                                              ExitCode::kConfig),
                                      Problem("other.gguf", ExitCode::kModelUnreadable)));
}

TEST_F(StartCheckTest, AFileInTheSocketsPlaceIsSeen) {
  std::ofstream(config_.listen.unix_socket) << "mine";
  EXPECT_THAT(Problems(), ElementsAre(Problem("not a socket is there", ExitCode::kCannotListen)));
  config_.listen.unix_socket = dir_ / "made-by-the-daemon/d.sock";
  EXPECT_THAT(Problems(), IsEmpty());
}

}  // namespace
}  // namespace edgemoe
