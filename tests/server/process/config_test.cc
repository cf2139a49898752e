// SPDX-License-Identifier: Apache-2.0
#include "server/process/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "engine/base/byte_size.h"
#include "engine/option_table.h"
#include "server/process/config_file.h"
#include "server/process/flags.h"
#include "server/process/reload.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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
      << "write it anew with: edgemoed --config= --print-config --comments > config/edgemoed.json";
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

TEST(ConfigTest, PlainFormIsJsonAndReadBack) {
  Config config;
  config.engine.model_path = "/a \"b\"";
  config.listen.allow_groups = {"a", "b"};
  const nlohmann::json plain = nlohmann::json::parse(FormatConfigJson(config));  // no comments
  EXPECT_EQ(plain["model"]["path"], "/a \"b\"");
  EXPECT_EQ(plain["queue_max"], 64);
  Config read;
  ASSERT_EQ(ApplyConfigText(FormatConfigJson(config), "c.json", read), OkStatus());
  EXPECT_EQ(FormatConfig(read), FormatConfig(config));
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

constexpr const char* kSections = R"({
  "context_tokens": 1000,
  "model_settings": {
    "Qwen3-0.6B": { "context_tokens": 512,
      "sampling": { "temperature": 0.6, "top_k": 20, "presence_penalty": -1, "top_p": "auto" },
      "chat": { "system_prompt": "Be brief." } },
    "other": {}
  },
  "threads": 3
})";

TEST(ModelSectionsTest, CountForTheModelOfThatName) {
  Config config;
  ASSERT_EQ(ApplyConfigText(kSections, "c.json", config), OkStatus());
  EXPECT_EQ(config.engine.threads, 3U) << "what follows the sections";
  EXPECT_EQ(config.engine.context_tokens, 1000U);
  const EngineOptions engine = WithSection(config, "Qwen3-0.6B").engine;
  EXPECT_EQ(engine.context_tokens, 512U);
  EXPECT_EQ(engine.temperature, 0.6);
  EXPECT_EQ(engine.top_k, 20);
  EXPECT_EQ(engine.presence_penalty, -1);
  EXPECT_FALSE(engine.top_p);
  EXPECT_EQ(engine.system_prompt, "Be brief.");
  EXPECT_EQ(WithSection(config, "other").engine.context_tokens, 1000U);
  EXPECT_FALSE(WithSection(config, "none").engine.temperature);
}

TEST(ModelSectionsTest, AreReadBackAsPrinted) {
  Config config;
  ASSERT_EQ(ApplyConfigText(kSections, "c.json", config), OkStatus());
  for (const std::string& text : {FormatConfig(config), FormatConfigJson(config)}) {
    Config read;
    ASSERT_EQ(ApplyConfigText(text, "c.json", read), OkStatus()) << text;
    EXPECT_EQ(FormatConfig(read), FormatConfig(config));
    EXPECT_EQ(WithSection(read, "Qwen3-0.6B").engine.temperature, 0.6);
  }
  EXPECT_EQ(PlanReload(Config(), config, true).postponed,
            "context_tokens, threads, model_settings");
}

TEST(ModelSectionsTest, FlagsOverrideThem) {
  const TempFolder folder;
  std::ofstream(folder / "c.json") << kSections;
  const CommandLine line = Parse({"--config", (folder / "c.json").c_str(), "--model", "m.gguf",
                                  "--temperature", "0.25", "--top-p=1"});
  ASSERT_EQ(line.action, CommandLine::Action::kRun) << line.text;
  const EngineOptions engine = WithSection(line.config, "Qwen3-0.6B").engine;
  EXPECT_EQ(engine.temperature, 0.25);
  EXPECT_EQ(engine.top_p, 1);
  EXPECT_EQ(engine.top_k, 20);
  EXPECT_THAT(
      Parse({"--model", "m.gguf", "--temperature", "hot"}).text,
      HasSubstr("--temperature: found \"hot\"; accepted: \"auto\" or a number in [0, 100]"));
  EXPECT_THAT(Parse({"--model", "m.gguf", "--top-k", "1.5"}).text, HasSubstr("found 1.5"));
}

TEST(ModelSectionsTest, ErrorsNameLineModelAndKey) {
  const std::string error = ErrorOf(
      "{\"model_settings\": {\n"
      "  \"demo\": {\"sampling\": {\"top_p\": 2},\n"
      "  \"threads\": 4, \"io\": {\"depth\": 1}, \"sampling\": {\"heat\": 1},\n"
      "  \"chat\": 5, \"context_tokens\": {\"a\": 1}, \"min_p\": null},\n"
      "  \"odd\": 7, \"demo\": {},\n"
      "  \"list\": [1]},\n"
      "  \"sampling\": {\"temperature\": -1}, \"model_settings\": {}}");
  EXPECT_THAT(error, HasSubstr("c.json:2: model_settings.demo.sampling.top_p: found 2; accepted: "
                               "\"auto\" or a number in (0, 1]"));
  EXPECT_THAT(error, HasSubstr("c.json:3: model_settings.demo.threads: unknown key; accepted: "));
  EXPECT_THAT(error, HasSubstr("c.json:3: model_settings.demo.io: unknown key"));
  EXPECT_THAT(error, HasSubstr("c.json:3: model_settings.demo.sampling: the key stands here a "
                               "second time"));
  EXPECT_THAT(error, HasSubstr("c.json:3: model_settings.demo.sampling.heat: unknown key; "
                               "accepted: sampling.temperature, sampling.top_k"));
  EXPECT_THAT(error, HasSubstr("c.json:4: model_settings.demo.chat: found a value; accepted: an"));
  EXPECT_THAT(error, HasSubstr("c.json:4: model_settings.demo.context_tokens: found an object"));
  EXPECT_THAT(error, HasSubstr("c.json:4: model_settings.demo.min_p: unknown key"));
  EXPECT_THAT(error, HasSubstr("c.json:5: model_settings.odd: found a value; accepted: an object"));
  EXPECT_THAT(error, HasSubstr("c.json:5: model_settings.demo: the key stands here a second time"));
  EXPECT_THAT(error, HasSubstr("c.json:6: model_settings.list: found a value"));
  EXPECT_THAT(error, HasSubstr("c.json:7: sampling.temperature: found -1"));
  EXPECT_THAT(error, HasSubstr("c.json:7: model_settings: the key stands here a second time"));
  // What a model has no say in, or nobody yet.
  for (const char* const key : {"kv_type", "keep_alive", "model"})
    EXPECT_THAT(
        ErrorOf("{\"model_settings\": {\"demo\": {\"" + std::string(key) + "\": \"q8_0\"}}}"),
        HasSubstr("model_settings.demo." + std::string(key) + ": unknown key; accepted: "));
  EXPECT_THAT(ErrorOf("{\"model_settings\": 5}"), HasSubstr("model_settings: found a value"));
}

TEST(ModelSectionsTest, AreBounded) {
  std::string text = "{\"model_settings\": {";
  for (std::size_t i = 0; i <= kModelSectionsMax; ++i)
    text += (i == 0 ? "\"m" : ",\"m") + std::to_string(i) + "\": {}";
  EXPECT_THAT(ErrorOf(text + "}}"), HasSubstr("accepted: at most 256"));
}

TEST(ReloadTest, TakesOverWhatCanBeAndNamesTheRest) {
  Config running;
  running.engine.threads = 2;
  Config wanted = running;
  EXPECT_EQ(PlanReload(running, wanted, true).taken, "");
  wanted.log.level = "debug";
  wanted.listen.allow_groups = {"staff"};
  wanted.engine.memory_budget_bytes = kGiB;
  wanted.engine.threads = 3;
  const Reload reload = PlanReload(running, wanted, true);
  EXPECT_EQ(reload.taken, "listen.allow_groups, memory.budget, log.level");
  EXPECT_EQ(reload.postponed, "threads");
  EXPECT_EQ(reload.config.log.level, "debug");
  EXPECT_THAT(reload.config.listen.allow_groups, ElementsAre("staff"));
  EXPECT_EQ(reload.config.engine.memory_budget_bytes, kGiB);
  EXPECT_EQ(reload.config.engine.threads, 2U);
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

TEST(FlagsTest, ListsAreAddedToTheFiles) {
  const TempFolder dir;
  std::ofstream(dir / "c.json") << R"({"listen": {"allow_groups": ["staff", "edgemoe"]}})";
  const std::string file = dir / "c.json";
  const auto groups = [&](std::vector<const char*> flags) {
    flags.insert(flags.begin(), {"--config", file.c_str(), "m.gguf"});
    return Parse(flags).config.listen.allow_groups;
  };
  EXPECT_THAT(groups({"--allow-groups", "edgemoe"}), ElementsAre("staff", "edgemoe"));
  EXPECT_THAT(groups({"--allow-groups", "a,b", "--allow-groups", "c"}),
              ElementsAre("staff", "edgemoe", "a", "b", "c"));
  EXPECT_THAT(groups({"--allow-groups=", "--allow-groups", "a"}), ElementsAre("a"));
}

TEST(FlagsTest, TheModelNeedsNoFlag) {
  EXPECT_EQ(Parse({"m.gguf", "--threads", "2"}).config.engine.model_path, "m.gguf");
  EXPECT_EQ(Parse({"--threads", "2", "m.gguf"}).config.engine.model_path, "m.gguf");
  EXPECT_EQ(Parse({"m.gguf", "n.gguf"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(Parse({"--threads", "2", "--threads", "3", "m.gguf"}).exit_code, ExitCode::kUsage);
}

TEST(FlagsTest, FileAndSocketComeFromTheEnvironment) {
  const TempFolder dir;
  std::ofstream(dir / "second.json") << R"({"threads": 2, "listen": {"unix_socket": "/f"}})";
  std::ofstream(dir / "third.json") << R"({"threads": 3})";
  const StartEnvironment environment{
      .socket = "unix:/e",
      .config_paths = {dir / "first.json", dir / "second.json", dir / "third.json"}};
  const auto parse = [&](std::vector<const char*> flags) {
    flags.insert(flags.begin(), {"edgemoed", "m.gguf"});
    return ParseCommandLine(static_cast<int>(flags.size()), flags.data(), environment);
  };
  EXPECT_THAT(parse({}).config_files, ElementsAre(dir / "second.json"));
  EXPECT_EQ(parse({}).config.engine.threads, 2U);
  EXPECT_EQ(parse({}).config.listen.unix_socket, "/e");
  EXPECT_EQ(parse({"--socket", "/g"}).config.listen.unix_socket, "/g");
  EXPECT_EQ(parse({"--config="}).config.engine.threads, 0U);
  EXPECT_THAT(parse({"--config="}).config_files, IsEmpty());
  std::vector<const char*> none = {"edgemoed", "m.gguf"};
  const CommandLine refused =
      ParseCommandLine(2, none.data(), {.socket = "host:1", .config_paths = {}});
  EXPECT_EQ(refused.exit_code, ExitCode::kConfig);
  EXPECT_THAT(refused.text, HasSubstr("EDGEMOE_SOCKET: found the relative path \"host:1\""));
}

TEST(FlagsTest, DefaultFilesAreTheUsersAndTheInstallations) {
  ::setenv("XDG_CONFIG_HOME", "/home/a/conf", 1);
  EXPECT_THAT(StartEnvironment::OfProcess(1000, "/opt/moe/bin/edgemoed").config_paths,
              ElementsAre("/home/a/conf/edgemoe/edgemoed.json",
                          "/opt/moe/etc/edgemoe/edgemoed.json", "/etc/edgemoe/edgemoed.json"));
  EXPECT_THAT(StartEnvironment::OfProcess(0, "/src/build/server/edgemoed").config_paths,
              ElementsAre("/etc/edgemoe/edgemoed.json"));
  ::unsetenv("XDG_CONFIG_HOME");
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
  EXPECT_EQ(Parse({}).action, CommandLine::Action::kRun) << "a model may come later";
}

TEST(FlagsTest, DropInsOverrideTheFileInTheOrderOfTheirNames) {
  const TempFolder dir;
  const std::string file = dir / "edgemoed.json";
  const std::string folder = dir / "edgemoed.d";
  const auto parse = [&] { return Parse({"--config", file.c_str(), "--queue-max", "9"}); };
  std::ofstream(file) << R"({"threads": 1, "sessions_max": 1, "queue_max": 1})";
  EXPECT_EQ(parse().config.engine.threads, 1U) << "no folder";
  std::filesystem::create_directory(folder);
  std::ofstream(folder + "/50-b.json") << R"({"threads": 3, "queue_max": 3})";
  std::ofstream(folder + "/10-a.json") << R"({"threads": 2, "sessions_max": 2})";
  std::ofstream(folder + "/.60-hidden.json") << R"({"threads": 4})";
  std::ofstream(folder + "/60-other.json.bak") << "{";
  const CommandLine line = parse();
  EXPECT_THAT(line.config_files, ElementsAre(file, folder + "/10-a.json", folder + "/50-b.json"));
  EXPECT_EQ(line.config.engine.threads, 3U);
  EXPECT_EQ(line.config.engine.sessions_max, 2U);
  EXPECT_EQ(line.config.engine.queue_max, 9U) << "flags override both";

  std::ofstream(folder + "/70-bad.json") << R"({"threads": 99})";
  EXPECT_EQ(parse().exit_code, ExitCode::kConfig);
  EXPECT_THAT(parse().text, HasSubstr("70-bad.json:1: threads"));
  std::filesystem::remove(folder + "/70-bad.json");
  for (int i = 0; i < 64; ++i)
    std::ofstream(folder + "/many-" + std::to_string(i) + ".json") << "{}";
  EXPECT_THAT(parse().text, HasSubstr("found 66 files; accepted: at most 64"));
}

TEST(FlagsTest, AFolderOfDropInsIsAConfiguration) {
  const TempFolder dir;
  std::filesystem::create_directory(dir / "first.d");
  std::ofstream(dir / "first.d/a.json") << R"({"threads": 2})";
  std::ofstream(dir / "second.json") << R"({"threads": 3})";
  std::vector<const char*> flags = {"edgemoed"};
  const CommandLine line = ParseCommandLine(
      1, flags.data(), {.socket = "", .config_paths = {dir / "first.json", dir / "second.json"}});
  EXPECT_THAT(line.config_files, ElementsAre(dir / "first.d/a.json"));
  EXPECT_EQ(line.config.engine.threads, 2U);
}

TEST(FlagsTest, PrintsAndChecks) {
  EXPECT_EQ(Parse({"--print-config", "--comments"}).text, FormatConfig(Config()));
  EXPECT_EQ(Parse({"--print-config", "--comments"}).exit_code, ExitCode::kOk);
  EXPECT_EQ(Parse({"--comments"}).exit_code, ExitCode::kUsage);
  EXPECT_EQ(Parse({"--print-config"}).action, CommandLine::Action::kPrint);
  EXPECT_EQ(Parse({"--check-config"}).action, CommandLine::Action::kCheck);
  EXPECT_THAT(Parse({"--version"}).text, HasSubstr("edgemoed 0."));
  const std::string help = Parse({"--help"}).text;
  for (const ConfigKey& key : ConfigKeys()) EXPECT_THAT(help, HasSubstr(key.flag));
}

}  // namespace
}  // namespace edgemoe
