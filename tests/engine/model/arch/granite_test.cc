// SPDX-License-Identifier: Apache-2.0
//
// What files of Granite, its experts and its hybrids may say, and what they may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/model/arch/architecture.h"
#include "tests/golden/fixtures.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

using Changes = std::map<std::string, std::optional<GgufValue>>;

// The fixture's name is its architecture's.
Result<ModelConfig> Read(const std::string& fixture, const Changes& changes) {
  RandomModelOptions model = FindFixture(fixture)->model;
  for (const auto& [key, value] : changes) model.changed_keys[fixture + "." + key] = value;
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  return ReadModelConfig(*ParseGguf(bytes, bytes.size()));
}

TEST(GraniteConfig, WhatIsNotScaledIsLeftOutOr0) {
  for (const std::optional<GgufValue>& value : {std::optional<GgufValue>(), {GgufValue(0.0F)}}) {
    const auto config = Read("granitemoe", {{"embedding_scale", value},
                                            {"residual_scale", value},
                                            {"logit_scale", value},
                                            {"attention.scale", value}});
    ASSERT_TRUE(config) << config.error().ToString();
    EXPECT_EQ(config->embedding_scale, 1);
    EXPECT_EQ(config->residual_scale, 1);
    EXPECT_EQ(config->logit_scale, 1);
    EXPECT_EQ(config->layers[0].attention().score_scale, 0);
  }
}

TEST(GraniteConfig, DenseFilesMaySayThatTheyHaveNoExperts) {
  const auto config =
      Read("granite", {{"expert_count", GgufValue(std::uint32_t{0})},
                       {"expert_used_count", GgufValue(std::uint32_t{0})},
                       {"expert_shared_feed_forward_length", GgufValue(std::uint32_t{64})}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->expert_count, 0U);
  EXPECT_EQ(config->layers[0].dense_width, 160U);
}

// As published hybrids, which have keys of rotations and use none.
TEST(GraniteConfig, AttentionMayHaveNoPositions) {
  const auto config = Read("granitehybrid", {{"rope.freq_base", GgufValue(10000.0F)},
                                             {"rope.dimension_count", GgufValue(std::uint32_t{32})},
                                             {"vocab_size", GgufValue(std::uint32_t{100352})}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->layers[1].attention().rope.dimension_count, 0U);
  const auto turning = Read("granitehybrid", {{"rope.scaling.finetuned", GgufValue(true)}});
  ASSERT_TRUE(turning) << turning.error().ToString();
  EXPECT_EQ(turning->layers[1].attention().rope.dimension_count, 32U);
  EXPECT_EQ(turning->layers[1].attention().rope.pairing, RopePairing::kNeighbours);
}

TEST(GraniteConfig, LayersWithoutKeysAreMamba2) {
  const auto config = Read("granitehybrid", {});
  ASSERT_TRUE(config) << config.error().ToString();
  const auto* const mamba = config->layers[0].mixer_as<Mamba2Config>();
  ASSERT_NE(mamba, nullptr);
  EXPECT_EQ(mamba->inner_size(), 128U);
  EXPECT_EQ(mamba->head_size, 16U);
  EXPECT_EQ(mamba->channels(), 128U + 2 * 2 * 24);
  EXPECT_EQ(mamba->in_size(), 2 * 128U + 2 * 2 * 24 + 8);
  EXPECT_NE(config->layers[1].mixer_as<AttentionConfig>(), nullptr);
  EXPECT_EQ(config->layers[1].attention().kv_head_count, 2U);
}

struct BadKey {
  std::string key;
  std::optional<GgufValue> value;
  StatusCode code;
  std::string message;  // a part of it
};

class GraniteErrors : public testing::TestWithParam<BadKey> {};

TEST_P(GraniteErrors, NameKeyAndValue) {
  const BadKey& bad = GetParam();
  const auto config = Read("granitehybrid", {{bad.key, bad.value}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code(), bad.code) << config.error().ToString();
  EXPECT_THAT(config.error().message(), HasSubstr("granitehybrid." + bad.key));
  EXPECT_THAT(config.error().message(), HasSubstr(bad.message));
}

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;
constexpr StatusCode kNotFound = StatusCode::kNotFound;
constexpr StatusCode kUnimplemented = StatusCode::kUnimplemented;

INSTANTIATE_TEST_SUITE_P(
    All, GraniteErrors,
    testing::Values(
        BadKey{"embedding_scale", -1.0F, kInvalid, "found -1; accepted: [0,"},
        BadKey{"residual_scale", 1e-9F, kInvalid, "found 1e-09; accepted: 0 and [1e-06,"},
        BadKey{"logit_scale", std::nanf(""), kInvalid, "nan"},
        BadKey{"attention.scale", 1e9F, kInvalid, "found 1e+09"},
        BadKey{"rope.scaling.finetuned", std::uint32_t{0}, kInvalid, "a bool"},
        BadKey{"attention.head_count_kv", GgufArray::OfInt32({0, 0, 0}), kInvalid,
               "found 0 in every layer"},
        BadKey{"attention.head_count_kv", GgufArray::OfInt32({0, 2}), kInvalid,
               "found an array of 2; accepted: one integer, or 3"},
        BadKey{"attention.head_count_kv", GgufArray::OfInt32({0, 3, 0}), kInvalid, "divisors"},
        BadKey{"ssm.conv_kernel", {}, kNotFound, ""},
        BadKey{"ssm.conv_kernel", std::uint32_t{1}, kInvalid, "found 1; accepted: [2, 64]"},
        BadKey{"ssm.conv_kernel", UINT32_MAX, kInvalid, "found 4294967295"},
        BadKey{"ssm.state_size", {}, kNotFound, ""},
        BadKey{"ssm.state_size", std::uint32_t{0}, kInvalid, "found 0; accepted: [1, 1024]"},
        BadKey{"ssm.time_step_rank", {}, kNotFound, ""},
        BadKey{"ssm.time_step_rank", std::uint32_t{0}, kInvalid, "found 0; accepted: [1, 1024]"},
        BadKey{"ssm.group_count", {}, kNotFound, ""},
        BadKey{"ssm.group_count", std::uint32_t{0}, kInvalid, "found 0; accepted: [1, 8]"},
        BadKey{"ssm.group_count", std::uint32_t{3}, kInvalid, "divisors of the head count 8"},
        BadKey{"ssm.inner_size", {}, kNotFound, ""},
        BadKey{"ssm.inner_size", std::uint32_t{7}, kInvalid, "found 7; accepted: [8,"},
        BadKey{"ssm.inner_size", std::uint32_t{130}, kInvalid, "multiples of the head count 8"},
        BadKey{"ssm.inner_size", UINT32_MAX, kInvalid, "found 4294967295"},
        BadKey{"ssm.dt_b_c_rms", true, kUnimplemented, "not known"},
        BadKey{"expert_count", UINT32_MAX, kInvalid, "found 4294967295"},
        BadKey{"expert_shared_feed_forward_length", UINT32_MAX, kInvalid, "found 4294967295"}));

}  // namespace
}  // namespace edgemoe
