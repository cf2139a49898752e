// SPDX-License-Identifier: Apache-2.0
//
// A model's section of the configuration, from the file to the answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr const char* kModel = "edgemoe-demo-q8_0";

class E2eSettingsTest : public testing::Test {
 protected:
  std::string WriteConfig(const std::string& sampling) const {
    const std::string path = folder_ / "edgemoed.json";
    std::ofstream(path) << "{\"model_settings\": {\"" << kModel << "\": {\"context_tokens\": 512,\n"
                        << "  \"sampling\": {" << sampling << "},\n"
                        << "  \"chat\": {\"system_prompt\": \"Be brief.\", \"template_file\": \""
                        << folder_ / "chat.jinja"
                        << "\"}}}}\n";
    std::ofstream(folder_ / "chat.jinja")
        << "{% for m in messages %}[{{ m.role }}: {{ m.content }}]{% endfor %}";
    return path;
  }

  const TempFolder folder_;
};

TEST_F(E2eSettingsTest, RequestsGetWhatTheSectionOfTheirModelSays) {
  DaemonProcess daemon(
      folder_ / "d.sock",
      {"--config", WriteConfig("\"temperature\": 0, \"top_k\": 20"), "--top-k", "5"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();

  const auto model = client.GetModel("");
  ASSERT_TRUE(model) << model.error().ToString();
  std::map<std::string, std::string> told;
  for (const v1::ModelSetting& setting : model->settings())
    told[setting.name()] = setting.json() + " " + v1::SettingSource_Name(setting.source());
  EXPECT_EQ(told["temperature"], "0 SETTING_SOURCE_CONFIGURATION");
  EXPECT_EQ(told["top_k"], "5 SETTING_SOURCE_CONFIGURATION") << "a flag overrides the section";
  EXPECT_EQ(told["top_p"], "0.95 SETTING_SOURCE_BUILT_IN");
  EXPECT_EQ(told["system_prompt"], "\"Be brief.\" SETTING_SOURCE_CONFIGURATION");
  EXPECT_EQ(model->context_tokens(), 512U);
  EXPECT_EQ(client.ListModels()->models(0).settings_size(), 0);

  v1::CompleteRequest silent = Greedy("Once upon a time", 16);
  silent.clear_sampling();
  const ReceivedAnswer greedy = Receive(client.Complete(Greedy("Once upon a time", 16)));
  ASSERT_TRUE(greedy.status.ok()) << greedy.status.ToString();
  for (int i = 0; i < 3; ++i)  // with other seeds each time
    EXPECT_EQ(Receive(client.Complete(silent)).tokens, greedy.tokens);
  silent.mutable_sampling()->set_temperature(100);  // the request says it
  silent.mutable_sampling()->set_top_k(0);
  silent.mutable_sampling()->set_top_p(1);
  silent.mutable_sampling()->set_min_p(0);
  EXPECT_NE(Receive(client.Complete(silent)).tokens, greedy.tokens);

  v1::ApplyTemplateRequest apply;
  v1::ChatMessage& message = *apply.add_messages();
  message.set_role("user");
  message.add_content()->set_text("Why?");
  EXPECT_EQ(client.ApplyTemplate(apply)->prompt(), "[system: Be brief.][user: Why?]");

  ChildProcess show({EDGEMOE_PROGRAM, "--socket", daemon.socket(), "models", kModel});
  EXPECT_EQ(show.Wait(), 0) << show.errors();
  EXPECT_THAT(show.output(), HasSubstr("temperature"));
  EXPECT_THAT(show.output(), HasSubstr("CONFIGURATION"));
  EXPECT_EQ(daemon.Stop(), 0) << daemon.log();
}

TEST_F(E2eSettingsTest, ABadValueIsToldBeforeTheModelIsLoaded) {
  DaemonProcess daemon(folder_ / "d.sock", {"--config", WriteConfig("\"top_p\": 1.5")});
  EXPECT_NE(daemon.process().Wait(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("edgemoed.json:2: model_settings.edgemoe-demo-q8_0."
                                      "sampling.top_p: found 1.5; accepted: \"auto\" or a number "
                                      "in (0, 1]"));

  const std::string config = WriteConfig("");
  std::ofstream(folder_ / "chat.jinja") << "{% for %}";
  DaemonProcess broken(folder_ / "d.sock", {"--config", config});
  EXPECT_NE(broken.process().Wait(), 0);
  EXPECT_THAT(broken.log(), HasSubstr("chat.template_file: found "));
}

}  // namespace
}  // namespace edgemoe
