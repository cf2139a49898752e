// SPDX-License-Identifier: Apache-2.0
//
// What gpt-oss' chat template (Harmony) needs of the language: macros that call themselves, a
// clock, schemas of tools. harmony_like.jinja uses the same constructs for a format of its own;
// harmony_golden.json holds what Jinja 3.1.6 makes of both (record_harmony.py).
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "engine/template/chat_template.h"
#include "tests/engine/template/golden.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

// Renders each recorded conversation; `expect` compares it with what `key` recorded.
void ForEachCase(const std::string& source, const char* key,
                 void (*expect)(const Result<std::string>&, const Json&)) {
  const auto parsed = ChatTemplate::Parse(source);
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  const Json cases = ReadRecording("harmony_golden.json");
  ASSERT_EQ(cases.size(), 19u);
  for (const Json& one : cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    expect(parsed->Render(one["context"], RecordedTime()), one[key]);
  }
}

TEST(HarmonyGolden, ItsConstructsInAnotherFormat) {
  ForEachCase(ReadFile(TestPath("families/harmony_like.jinja")), "own",
              [](const Result<std::string>& rendered, const Json& recorded) {
                if (recorded.contains("raises")) {
                  ASSERT_FALSE(rendered) << *rendered;
                  EXPECT_EQ(rendered.error(),
                            InvalidArgumentError(recorded["raises"].get<std::string>()));
                  return;
                }
                ASSERT_TRUE(rendered) << rendered.error().ToString();
                EXPECT_EQ(*rendered, recorded["text"].get<std::string>());
              });
}

TEST(HarmonyGolden, GptOss) {
  const std::string path = PublicTemplatePath("openai-gpt-oss-120b.jinja");
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << "SKIPPED: no " << path
                 << ", which is not ours; harmony_like.jinja has its constructs";
  }
  ForEachCase(ReadFile(path), "gpt-oss",
              [](const Result<std::string>& rendered, const Json& recorded) {
                if (recorded.contains("raises")) {
                  ASSERT_FALSE(rendered) << *rendered;
                  EXPECT_EQ(rendered.error().code(), StatusCode::kInvalidArgument);
                  return;
                }
                ASSERT_TRUE(rendered) << rendered.error().ToString();
                EXPECT_EQ(rendered->size(), recorded["bytes"].get<std::size_t>());
                EXPECT_EQ(Fnv1a(*rendered), recorded["fnv1a"].get<std::string>()) << *rendered;
              });
}

// A schema inside a schema is a macro inside a macro: deep ones are refused, as is work that grows
// with each level.
TEST(HarmonyGolden, SchemasAreBoundedInDepthAndWork) {
  const auto parsed = ChatTemplate::Parse(ReadFile(TestPath("families/harmony_like.jinja")));
  ASSERT_TRUE(parsed);
  const auto render = [&](int depth, const RenderOptions& options) {
    Json schema = {{"type", "string"}};
    for (int i = 0; i < depth; ++i) {
      schema = {{"type", "array"}, {"items", std::move(schema)}};
    }
    const Json parameters = {{"properties", {{"a", std::move(schema)}}}};
    const Json tool = {
        {"function", {{"name", "f"}, {"description", "d"}, {"parameters", parameters}}}};
    const Json message = {{"role", "user"}, {"content", "x"}};
    return parsed->Render({{"messages", Json::array({message})}, {"tools", Json::array({tool})}},
                          options);
  };
  EXPECT_TRUE(render(12, RecordedTime()));
  const auto deep = render(80, RecordedTime());
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(deep.error().message().find("levels deep"), std::string::npos)
      << deep.error().ToString();
  RenderOptions small = RecordedTime();
  small.limits.output_bytes_max = 100;
  EXPECT_FALSE(render(12, small));
}

}  // namespace
}  // namespace edgemoe
