// SPDX-License-Identifier: Apache-2.0
#include "server/process/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "engine/base/byte_size.h"
#include "engine/option_table.h"
#include "server/process/config_file.h"
#include "server/process/flags.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ErrorOf(const std::string& text) {
  Config config;
  const Status status = ApplyConfigText(text, "c.json", config);
  EXPECT_EQ(FormatConfig(config), FormatConfig(Config())) << "changed by a text that was refused";
  return status.message();
}

CommandLine Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "edgemoed");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

TEST(ConfigTest, ShippedFileIsTheDefaults) {
  std::ifstream file(std::string(EDGEMOE_SOURCE_DIR) + "/config/edgemoed.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(text, FormatConfig(Config()))
      << "write it anew with: edgemoed --print-config > config/edgemoed.json";
}

TEST(ConfigTest, PrintedConfigurationIsReadBack) {
  Config config;
  config.listen.socket_mode = 0600;
  config.listen.allow_users = {"a", "17"};
  config.engine.memory_budget_bytes = 1200 * kMiB;
  config.engine.expert_budget_bytes = 12345;
  config.engine.io_backend = "pread";
  config.engine.model_path = "/a \"b\"\n\\c";
  Config read;
  ASSERT_EQ(ApplyConfigText(FormatConfig(config), "c.json", read), OkStatus());
  EXPECT_EQ(FormatConfig(read), FormatConfig(config));
  EXPECT_EQ(read.engine.memory_budget_bytes, 1200 * kMiB);
  EXPECT_EQ(read.engine.model_path, config.engine.model_path);
}

TEST(ConfigTest, ReadsEveryKindOfValueAndComments) {
  Config config;
  const std::string text = R"(// a comment
{ "listen": { "socket_mode": "0600", /* another */ "allow_groups": ["edgemoe", "27"] },
  "memory": { "budget": 1048576, "expert_budget": "auto" },
  "io": { "backend": "pread" }, "threads": 3 })";
  ASSERT_EQ(ApplyConfigText(text, "c.json", config), OkStatus());
  EXPECT_EQ(config.listen.socket_mode, 0600U);
  EXPECT_THAT(config.listen.allow_groups, ElementsAre("edgemoe", "27"));
  EXPECT_EQ(config.engine.memory_budget_bytes, kMiB);
  EXPECT_EQ(config.engine.expert_budget_bytes, 0U);
  EXPECT_EQ(config.engine.io_backend, "pread");
  EXPECT_EQ(config.engine.threads, 3U);
  // Sizes are what `edgemoe` takes, too.
  ASSERT_EQ(ApplyConfigText("{\"memory\": {\"budget\": \"1200mib\"}}", "c.json", config),
            OkStatus());
  EXPECT_EQ(config.engine.memory_budget_bytes, 1200 * kMiB);
}

TEST(ConfigTest, ErrorsNameLineAndKey) {
  const std::string error = ErrorOf(
      "{\n"
      "  \"threads\": 65\n"
      "  ,\"io\": {\n"
      "    \"backend\": \"aio\",\n"
      "    \"dept\": 1\n"
      "  },\n"
      "  \"memory\": { \"budget\":\n"
      "     \"lots\" },\n"
      "  \"colour\": {\"a\": [1, {\"b\": 2}]},\n"
      "  \"io\": {\"depth\": 2},\n"
      "  \"threads\": 1\n"
      "}\n");
  EXPECT_THAT(error, HasSubstr("c.json:2: threads: found 65; accepted: threads, in [0, 64]"));
  EXPECT_THAT(error, HasSubstr("c.json:4: io.backend: found \"aio\"; accepted: \"auto\""));
  EXPECT_THAT(error, HasSubstr("c.json:5: io.dept: unknown key; accepted: io.backend, io.depth"));
  EXPECT_THAT(error, HasSubstr("c.json:8: memory.budget: found \"lots\"; accepted: \"auto\" or"));
  EXPECT_THAT(error, HasSubstr("c.json:9: colour: unknown key"));
  EXPECT_THAT(error, HasSubstr("c.json:10: io: the key stands here a second time"));
  EXPECT_THAT(error, HasSubstr("c.json:11: threads: the key stands here a second time"));
}

TEST(ConfigTest, RefusesValuesOfTheWrongKind) {
  EXPECT_THAT(ErrorOf("{\"threads\": \"4\"}"), HasSubstr(":1: threads: found \"4\""));
  EXPECT_THAT(ErrorOf("{\"threads\": 1.5}"), HasSubstr("threads: found 1.5"));
  EXPECT_THAT(ErrorOf("{\"threads\": -1}"), HasSubstr("threads: found -1"));
  EXPECT_THAT(ErrorOf("{\"threads\": null}"), HasSubstr("threads: found null"));
  EXPECT_THAT(ErrorOf("{\"threads\": {\"n\": 1}}"), HasSubstr("threads: found an object"));
  EXPECT_THAT(ErrorOf("{\"threads\": [\"1\"]}"), HasSubstr("threads: found a list of 1"));
  EXPECT_THAT(ErrorOf("{\"memory\": 5}"), HasSubstr("memory: found a value; accepted: an object"));
  EXPECT_THAT(ErrorOf("{\"memory\": {\"budget\": 0}}"), HasSubstr("memory.budget: found 0"));
  EXPECT_THAT(ErrorOf("{\"memory\": {\"budget\": {}}}"), HasSubstr("found an object"));
  EXPECT_THAT(ErrorOf("{\"model\": {\"path\": true}}"), HasSubstr("model.path: found true"));
  EXPECT_THAT(ErrorOf("{\"model\": {\"path\": \"a\\u0000b\"}}"), HasSubstr("NUL"));
  EXPECT_THAT(ErrorOf("{\"listen\": {\"allow_users\": [1]}}"), HasSubstr("other than texts"));
  EXPECT_THAT(ErrorOf("{\"listen\": {\"allow_users\": [[\"a\"]]}}"), HasSubstr("inside a list"));
  EXPECT_THAT(ErrorOf("{\"listen\": {\"allow_users\": [\"\"]}}"), HasSubstr("the element \"\""));
  EXPECT_THAT(ErrorOf("{\"listen\": {\"socket_mode\": \"0999\"}}"), HasSubstr("\"0999\""));
  EXPECT_THAT(ErrorOf("{\"listen\": {\"socket_mode\": \"0177\"}}"), HasSubstr("\"0177\""));
  EXPECT_THAT(ErrorOf("{\"listen\": {\"unix_socket\": \"a.sock\"}}"), HasSubstr("relative path"));
  EXPECT_THAT(ErrorOf("{\"listen\": {\"unix_socket\": \"/" + std::string(107, 'a') + "\"}}"),
              HasSubstr("found a path of 108 bytes; accepted: at most 107"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("single value"));
  EXPECT_THAT(ErrorOf("17"), HasSubstr("single value"));
}

TEST(ConfigTest, RefusesWhatIsNotJson) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("c.json:1: not JSON"));
  EXPECT_THAT(ErrorOf("{\n\"threads\": 4,\n}"), HasSubstr("c.json:3: not JSON"));
  EXPECT_THAT(ErrorOf("{} {}"), HasSubstr("not JSON"));
  EXPECT_THAT(ErrorOf("{\"threads\": 4"), HasSubstr("not JSON"));
  EXPECT_THAT(ErrorOf("{\"model\": {\"path\": \"\xff\"}}"), HasSubstr("not JSON"));
  EXPECT_THAT(ErrorOf("{\"threads\": 1e999}"), HasSubstr("c.json:1"));
  EXPECT_THAT(ErrorOf(std::string(kConfigBytesMax + 1, ' ')), HasSubstr("accepted: at most"));
}

TEST(ConfigTest, ListsAtMostSoManyErrors) {
  std::string text = "{";
  for (int i = 0; i < 30; ++i) text += "\"k" + std::to_string(i) + "\": 1,\n";
  const std::string error = ErrorOf(text + "\"threads\": 1}");
  EXPECT_THAT(error, HasSubstr("k19: unknown key"));
  EXPECT_THAT(error, Not(HasSubstr("k20: unknown key")));
  EXPECT_THAT(error, HasSubstr("and 10 more"));
}

TEST(ConfigTest, TcpIsOfLoopbackOnly) {
  for (const char* text : {"127.0.0.1:50051", "[::1]:1", "localhost:65535"})
    EXPECT_TRUE(ParseTcpAddress(text)) << text;
  for (const char* text : {"0.0.0.0:50051", "[::]:50051", "192.168.1.5:1", "example.org:1"})
    EXPECT_THAT(ParseTcpAddress(text).error().message(), HasSubstr("TLS and a token")) << text;
  for (const char* text : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", ":", "x"})
    EXPECT_THAT(ParseTcpAddress(text).error().message(), HasSubstr("found \"")) << text;
}

TEST(ConfigTest, EveryKeyHasAFlagOfItsOwn) {
  std::set<std::string> flags;
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(flags.insert(key.flag).second) << key.flag;
    EXPECT_EQ(FindConfigKey(key.path), &key) << key.path << " stands twice";
  }
}

TEST(ConfigTest, KeysOfTheEngineAreItsTable) {
  for (const EngineOption& option : EngineOptionTable()) {
    const bool is_for_measurements =
        option.name == "mode" || option.name.substr(0, 8) == "storage_";
    const ConfigKey* const key = FindKeyOfOption(option.name);
    ASSERT_EQ(key == nullptr, is_for_measurements) << option.name;
    if (key == nullptr) continue;
    EXPECT_EQ(key->accepts, option.accepts);
    EXPECT_EQ(key->meaning, option.meaning);
  }
  Config config;
  ASSERT_EQ(SetConfigValueFromText(*FindConfigKey("io.depth"), "7", config), OkStatus());
  EXPECT_EQ(config.engine.io_depth, 7U);
  EXPECT_THAT(ErrorOf("{\"io\": {\"faults\": \"fire:now=1\"}}"),
              HasSubstr("io.faults: found \"fire:now=1\"; accepted: eio:after=N"));
}

TEST(FlagsTest, FlagsOverrideTheFile) {
  const TempFolder dir;
  std::ofstream(dir / "c.json") << R"({"threads": 3, "queue_max": 7, "model": {"path": "m"}})";
  const std::string config_file = dir / "c.json";
  const CommandLine line = Parse({"--config", config_file.c_str(), "--threads", "2",
                                  "--allow-users=root,17", "--memory-budget", "1GiB"});
  ASSERT_EQ(line.action, CommandLine::Action::kRun) << line.text;
  EXPECT_EQ(line.config.engine.threads, 2U);
  EXPECT_EQ(line.config.engine.queue_max, 7U);
  EXPECT_EQ(line.config.engine.memory_budget_bytes, kGiB);
  EXPECT_THAT(line.config.listen.allow_users, ElementsAre("root", "17"));
}

TEST(FlagsTest, ExitCodesTellUsageFromConfiguration) {
  const TempFolder dir;
  std::ofstream(dir / "bad.json") << "{\"threads\": 99}";
  const std::string bad = dir / "bad.json";
  const std::string missing = dir / "missing.json";
  EXPECT_EQ(Parse({"--no-such-flag"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(Parse({"--model", "m", "--threads", "99"}).exit_code, ExitCode::kUsage);
  EXPECT_THAT(Parse({"--threads", "x"}).text, HasSubstr("--threads: found \"x\""));
  EXPECT_EQ(Parse({"--config", bad.c_str()}).exit_code, ExitCode::kConfig);
  EXPECT_THAT(Parse({"--config", bad.c_str()}).text, HasSubstr("bad.json:1: threads"));
  EXPECT_EQ(Parse({"--config", bad.c_str(), "--check-config"}).exit_code, ExitCode::kConfig);
  EXPECT_THAT(Parse({"--config", missing.c_str()}).text, HasSubstr("No such file"));
  EXPECT_THAT(Parse({"--config", dir.path().c_str()}).text, HasSubstr("Is a directory"));
  EXPECT_EQ(Parse({}).exit_code, ExitCode::kConfig);
  EXPECT_THAT(Parse({}).text, HasSubstr("model.path: not set"));
}

TEST(FlagsTest, PrintsAndChecks) {
  EXPECT_EQ(Parse({"--print-config"}).text, FormatConfig(Config()));
  EXPECT_EQ(Parse({"--print-config"}).exit_code, ExitCode::kOk);
  EXPECT_EQ(Parse({"--check-config"}).exit_code, ExitCode::kOk);
  EXPECT_THAT(Parse({"--version"}).text, HasSubstr("edgemoed 0."));
  const std::string help = Parse({"--help"}).text;
  for (const ConfigKey& key : ConfigKeys()) EXPECT_THAT(help, HasSubstr(key.flag));
}

}  // namespace
}  // namespace edgemoe
