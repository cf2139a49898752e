// SPDX-License-Identifier: Apache-2.0
//
// Templates of our own with the constructs of each family's, for nine conversations; golden.json
// holds what Jinja 3.1.6 makes of them (record_families.py). Prints a table.
#include <gtest/gtest.h>

#include <iostream>

#include "engine/template/chat_template.h"
#include "tests/engine/template/golden.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

void ExpectAsRecorded(const Result<std::string>& rendered, const Json& recorded) {
  if (recorded.contains("text")) {
    ASSERT_TRUE(rendered) << rendered.error().ToString();
    EXPECT_EQ(*rendered, recorded["text"].get<std::string>());
    return;
  }
  ASSERT_FALSE(rendered) << *rendered;
  EXPECT_EQ(rendered.error().code(), StatusCode::kInvalidArgument);
  if (!recorded["raises"].is_null()) {
    EXPECT_EQ(rendered.error().message(), recorded["raises"].get<std::string>());
  }
}

TEST(TemplateFamilies, RenderedAsJinjaDoes) {
  const Json conversations = ReadRecording("conversations.json");
  const Json golden = ReadRecording("families/golden.json");
  ASSERT_GE(conversations.size(), 8u);
  ASSERT_GE(golden.size(), 9u);
  for (auto one = golden.begin(); one != golden.end(); ++one) {
    SCOPED_TRACE(one.key());
    const auto parsed = ChatTemplate::Parse(ReadFile(TestPath("families/" + one.key())));
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    std::size_t texts = 0;
    for (const Json& conversation : conversations) {
      const std::string name = conversation["name"].get<std::string>();
      SCOPED_TRACE(name);
      const Json& recorded = (*one)[name];
      ExpectAsRecorded(parsed->Render(conversation["context"], RecordedTime()), recorded);
      texts += recorded.contains("text") ? 1 : 0;
    }
    EXPECT_GE(texts, 8u);
    std::cout << std::left << std::setw(24) << one.key() << texts << " texts, "
              << conversations.size() - texts << " refused\n";
  }
}

}  // namespace
}  // namespace edgemoe
