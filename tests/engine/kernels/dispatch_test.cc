// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/system/cpu_features.h"
#include "tests/engine/kernels/kernel_cases.h"

namespace edgemoe {
namespace {

TEST(DispatchTest, ReferenceIsAlwaysTheLast) {
  ASSERT_FALSE(AvailableKernels().empty());
  EXPECT_EQ(AvailableKernels().back(), &ReferenceKernels());
  EXPECT_STREQ(ReferenceKernels().name, "ref");
}

TEST(DispatchTest, AutoIsTheFastestAndNamesWork) {
  EXPECT_EQ(SelectKernels("auto").value(), AvailableKernels().front());
  for (const KernelTable* table : AvailableKernels()) {
    EXPECT_EQ(SelectKernels(table->name).value(), table);
  }
}

TEST(DispatchTest, OnlyWhatTheProcessorHas) {
  const CpuFeatures& cpu = HostCpuFeatures();
  EXPECT_EQ(SelectKernels("avx2").has_value(), cpu.avx2);
  EXPECT_EQ(SelectKernels("avx512").has_value(), cpu.avx512);
  EXPECT_EQ(SelectKernels("neon").has_value(), cpu.neon && cpu.neon_dotprod);
}

TEST(DispatchTest, UnknownNamesAreRefusedWithTheAcceptedOnes) {
  for (const char* name : {"", "sse", "AVX2", "auto "}) {
    const auto result = SelectKernels(name);
    ASSERT_FALSE(result.has_value()) << name;
    EXPECT_EQ(result.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(result.error().message(), testing::HasSubstr("\"" + std::string(name) + "\""));
    EXPECT_THAT(result.error().message(), testing::HasSubstr("accepted: \"auto\", \""));
    EXPECT_THAT(result.error().message(), testing::EndsWith("\"ref\""));
  }
}

class TableTest : public EveryTable {};

TEST_P(TableTest, MultipliesExactlyTheComputableTypes) {
  for (std::uint32_t number = 0; number < kTensorTypeCount; ++number) {
    const TensorTypeTraits* traits = FindTensorType(number);
    const bool computable = traits != nullptr && traits->computable;
    EXPECT_EQ(table().mat_mul[number] != nullptr, computable) << "type " << number;
  }
  for (const auto encode : table().encode) EXPECT_NE(encode, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Kernels, TableTest, AllTables(), TableName);

}  // namespace
}  // namespace edgemoe
