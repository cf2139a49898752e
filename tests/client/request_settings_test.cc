// SPDX-License-Identifier: Apache-2.0
#include "client/cli/request_settings.h"

#include <gtest/gtest.h>

#include <set>

namespace edgemoe::cli {
namespace {

TEST(RequestSettingsTest, NamesAreTheFlagsAndOfEachThereIsOne) {
  std::set<std::string> names;
  for (const RequestSetting& setting : RequestSettings()) {
    EXPECT_TRUE(names.insert(setting.name()).second) << setting.name();
    EXPECT_EQ(FindRequestSetting(setting.name()), &setting);
    EXPECT_EQ(FindRequestSetting(setting.flag().substr(2)), &setting);
  }
  EXPECT_EQ(FindRequestSetting("temperature")->flag(), "--temperature");
  EXPECT_EQ(FindRequestSetting("think")->flag(), "--think");
  EXPECT_EQ(FindRequestSetting("t"), nullptr);
}

TEST(RequestSettingsTest, EveryOneIsTakenShownAndForgotten) {
  v1::ChatRequest request;
  for (const RequestSetting& setting : RequestSettings()) {
    auto& part = PartOf(setting, request);
    const std::string text = setting.value[0] == '\0' ? "on" : "2";
    EXPECT_EQ(TextOf(setting, part), "") << setting.name();
    EXPECT_EQ(SetFromText(setting, text, part), "") << setting.name();
    EXPECT_EQ(TextOf(setting, part), text) << setting.name();
  }
  for (const RequestSetting& setting : RequestSettings()) Unset(setting, PartOf(setting, request));
  EXPECT_EQ(request.sampling().ByteSizeLong(), 0u);
  EXPECT_EQ(request.stopping().ByteSizeLong(), 0u);
  EXPECT_EQ(request.reasoning().ByteSizeLong(), 0u);
}

TEST(RequestSettingsTest, NumbersAreWholeTexts) {
  v1::ChatRequest request;
  const auto set = [&request](const char* name, const std::string& text) {
    const RequestSetting& setting = *FindRequestSetting(name);
    return SetFromText(setting, text, PartOf(setting, request));
  };
  EXPECT_EQ(set("seed", "18446744073709551615"), "");
  EXPECT_EQ(request.sampling().seed(), 18446744073709551615ULL);
  for (const char* wrong : {"18446744073709551616", "-1", "1.5", "1 ", "", "x"})
    EXPECT_NE(set("seed", wrong), "") << wrong;
  EXPECT_EQ(request.sampling().seed(), 18446744073709551615ULL);
  EXPECT_EQ(set("frequency_penalty", "-0.3"), "");
  EXPECT_FLOAT_EQ(request.sampling().frequency_penalty(), -0.3F);
  EXPECT_EQ(set("temperature", "warm"), "found \"warm\"; accepted: a number");
}

}  // namespace
}  // namespace edgemoe::cli
