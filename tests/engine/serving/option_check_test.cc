// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/option_check.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "engine/model_name.h"
#include "engine/option_table.h"

namespace edgemoe {
namespace {

EngineOptions Valid() {
  EngineOptions options;
  options.model_path = "model.gguf";
  return options;
}

void ExpectRefused(const EngineOptions& options, const std::string& field, const std::string& value,
                   const std::string& accepted) {
  const Status status = ValidateOptions(options);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.field(), field);
  for (const std::string& part : {field, value, accepted})
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

TEST(EngineOptions, AcceptsTheDefaults) { EXPECT_TRUE(ValidateOptions(Valid()).ok()); }

TEST(EngineOptions, RefusalsNameOptionValueAndRange) {
  EngineOptions options = Valid();
  options.sessions_max = 65;
  ExpectRefused(options, "sessions_max", "65", "[1, 64]");
  options = Valid();
  options.context_tokens = 0;
  ExpectRefused(options, "context_tokens", "found 0", "[1, 1048576]");
  options = Valid();
  options.queue_max = 4097;
  ExpectRefused(options, "queue_max", "4097", "[0, 4096]");
  options = Valid();
  options.prefill_chunk_tokens = 513;
  ExpectRefused(options, "prefill_chunk_tokens", "513", "[0, 512]");
  options = Valid();
  options.threads = 65;
  ExpectRefused(options, "threads", "65", "[0, 64]");
  options = Valid();
  options.io_depth = 1025;
  ExpectRefused(options, "io_depth", "found 1025", "[0, 1024]");
  options = Valid();
  options.io_backend = "aio";
  ExpectRefused(options, "io_backend", "aio", "io_uring");
  options = Valid();
  options.predictor = "crystal";
  ExpectRefused(options, "predictor", "crystal", "router");
  options = Valid();
  options.eviction_policy = "fifo";
  ExpectRefused(options, "eviction_policy", "fifo", "lfru");
  options = Valid();
  options.stall_timeout_ms = 99;
  ExpectRefused(options, "stall_timeout_ms", "99", "[100, 3600000]");
  options = Valid();
  options.io_faults = "fire:now=1";
  ExpectRefused(options, "io_faults", "fire:now=1", "eio:after=N");
  options = Valid();
  options.storage_scale = 0;
  ExpectRefused(options, "storage_scale", "found 0", "(0, 1000]");
  options = Valid();
  options.top_p = 0;
  ExpectRefused(options, "top_p", "found 0", "(0, 1]");
  options = Valid();
  options.top_k = 1.5;
  ExpectRefused(options, "top_k", "found 1.5", "a whole number in [0, 262144]");
  options = Valid();
  options.system_prompt = "a\xff";
  ExpectRefused(options, "system_prompt", "offset 1", "UTF-8");
  options = Valid();
  options.kernels = "mmx";
  ExpectRefused(options, "kernels", "mmx", "ref");
  options = Valid();
  options.model_path.clear();
  ExpectRefused(options, "model_path", "found \"\"", "GGUF");
}

TEST(EngineOptions, DefaultsAreTheFirstNames) {
  const EngineOptions defaults;
  for (const EngineOption& option : EngineOptionTable()) {
    EXPECT_EQ(&EngineOptionNamed(option.name), &option) << "a name stands twice";
    const auto* const names = std::get_if<NameOption>(&option.kind);
    if (names == nullptr) continue;
    EXPECT_EQ(defaults.*names->at, names->names.front()) << option.name;
  }
}

TEST(EngineOptions, AModelIsNamedAfterItsFile) {
  EXPECT_EQ(ModelNameFromPath("/models/Qwen3-30B.gguf"), "Qwen3-30B");
  EXPECT_EQ(ModelNameFromPath("Qwen3-00001-of-00012.gguf"), "Qwen3");
  EXPECT_EQ(ModelNameFromPath("a/b-001-of-002.gguf"), "b-001-of-002");
  EXPECT_EQ(ModelNameFromPath("plain"), "plain");
  EXPECT_EQ(ModelNameFromPath(".gguf"), ".gguf");
}

}  // namespace
}  // namespace edgemoe
