// SPDX-License-Identifier: Apache-2.0
//
// What gpt-oss' chat template (Harmony) needs of the language: macros that call themselves, a
// clock, schemas of tools. harmony_like.jinja uses the same constructs for a format of its own;
// harmony_golden.json holds what Jinja 3.1.6 makes of both (record_harmony.py). The template itself
// is read from ../shared/templates or where EDGEMOE_GPT_OSS_TEMPLATE says.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "engine/template/chat_template.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string TestPath(const std::string& name) {
  return std::string(EDGEMOE_SOURCE_DIR) + "/tests/engine/template/" + name;
}

// The day on which the recorder's clock stands: 2025-08-05.
RenderOptions Options() {
  RenderOptions options;
  options.now.emplace();
  options.now->tm_year = 125;
  options.now->tm_mon = 7;
  options.now->tm_mday = 5;
  return options;
}

std::string Fnv1a(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  }
  std::ostringstream hex;
  hex << std::hex << std::setw(16) << std::setfill('0') << hash;
  return hex.str();
}

// Renders each recorded conversation; `expect` compares it with what `key` recorded.
void ForEachCase(const std::string& source, const char* key,
                 void (*expect)(const Result<std::string>&, const Json&)) {
  const auto parsed = ChatTemplate::Parse(source);
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  const Json cases = Json::parse(ReadFile(TestPath("harmony_golden.json")));
  ASSERT_EQ(cases.size(), 19u);
  for (const Json& one : cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    expect(parsed->Render(one["context"], Options()), one[key]);
  }
}

TEST(HarmonyGolden, ItsConstructsInAnotherFormat) {
  ForEachCase(ReadFile(TestPath("harmony_like.jinja")), "own",
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
  const char* given = std::getenv("EDGEMOE_GPT_OSS_TEMPLATE");
  const std::string path = given != nullptr ? given
                                            : std::string(EDGEMOE_SOURCE_DIR) +
                                                  "/../shared/templates/openai-gpt-oss-20b.jinja";
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
  const auto parsed = ChatTemplate::Parse(ReadFile(TestPath("harmony_like.jinja")));
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
  EXPECT_TRUE(render(12, Options()));
  const auto deep = render(80, Options());
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(deep.error().message().find("levels deep"), std::string::npos)
      << deep.error().ToString();
  RenderOptions small = Options();
  small.limits.output_bytes_max = 100;
  EXPECT_FALSE(render(12, small));
}

}  // namespace
}  // namespace edgemoe
