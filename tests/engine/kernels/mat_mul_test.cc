// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <tuple>

#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"
#include "engine/quant/quantize.h"
#include "tests/engine/kernels/kernel_cases.h"

namespace edgemoe {
namespace {

constexpr TensorType kTypes[] = {TensorType::kF32,    TensorType::kF16,    TensorType::kBF16,
                                 TensorType::kQ8_0,   TensorType::kQ4_0,   TensorType::kQ4_1,
                                 TensorType::kQ5_0,   TensorType::kQ5_1,   TensorType::kQ2_K,
                                 TensorType::kQ3_K,   TensorType::kQ4_K,   TensorType::kQ5_K,
                                 TensorType::kQ6_K,   TensorType::kMXFP4,  TensorType::kIQ4_NL,
                                 TensorType::kIQ4_XS, TensorType::kIQ3_S,  TensorType::kIQ3_XXS,
                                 TensorType::kIQ2_S,  TensorType::kIQ2_XS, TensorType::kIQ2_XXS};

// Replaces the two bytes at `at` in every block.
void SetHalf(std::byte* row, std::size_t row_bytes, std::size_t block_bytes, std::size_t at,
             std::uint16_t half) {
  for (std::size_t block = 0; block < row_bytes; block += block_bytes) {
    std::memcpy(row + block + at, &half, sizeof(half));
  }
}

// Where a type's scales lie in its block, that of the minima last; empty for types without halves.
std::vector<std::size_t> ScaleOffsets(TensorType type) {
  switch (type) {
    case TensorType::kQ8_0:
    case TensorType::kQ4_0:
    case TensorType::kQ5_0:
    case TensorType::kIQ4_NL:
    case TensorType::kIQ4_XS:
    case TensorType::kIQ3_S:
    case TensorType::kIQ3_XXS:
    case TensorType::kIQ2_S:
    case TensorType::kIQ2_XS:
    case TensorType::kIQ2_XXS: return {0};
    case TensorType::kQ4_1:
    case TensorType::kQ5_1:
    case TensorType::kQ4_K:
    case TensorType::kQ5_K: return {0, 2};
    case TensorType::kQ2_K: return {offsetof(BlockQ2_K, d), offsetof(BlockQ2_K, dmin)};
    case TensorType::kQ3_K: return {offsetof(BlockQ3_K, d)};
    case TensorType::kQ6_K: return {offsetof(BlockQ6_K, d)};
    default: return {};
  }
}

std::size_t PromisedAlignment(TensorType type) { return type == TensorType::kMXFP4 ? 1 : 2; }

struct Problem {
  TensorType type;
  std::size_t rows;
  std::size_t columns;
  std::size_t tokens;
  std::size_t row_bytes;
  std::size_t x_row_bytes;
  std::vector<std::byte> weight_bytes;  // the weights start at PromisedAlignment(type)
  std::vector<std::byte> x;

  const std::byte* weights() const { return weight_bytes.data() + PromisedAlignment(type); }
  std::byte* weights() { return weight_bytes.data() + PromisedAlignment(type); }
  MatMulArgs Args(float* y) const {
    return {weights(), row_bytes, 0, rows, columns, x.data(), x_row_bytes, tokens, y, rows};
  }
};

// Every block of `row` gets these scales; MXFP4 the exponent alone.
void SetScales(const Problem& problem, std::byte* row, std::uint16_t half, std::uint8_t exponent) {
  const std::size_t block_bytes = TraitsOf(problem.type).block_bytes;
  for (const std::size_t at : ScaleOffsets(problem.type)) {
    SetHalf(row, problem.row_bytes, block_bytes, at, half);
  }
  if (problem.type != TensorType::kMXFP4) return;
  for (std::size_t block = 0; block < problem.row_bytes; block += block_bytes) {
    row[block] = static_cast<std::byte>(exponent);
  }
}

void EncodeActivations(Random& random, double scale, Problem* problem) {
  const auto activation = static_cast<std::size_t>(ActivationTypeFor(problem->type));
  for (std::size_t token = 0; token < problem->tokens; ++token) {
    ReferenceKernels().encode[activation](RandomFloats(random, problem->columns, scale).data(),
                                          problem->columns,
                                          problem->x.data() + token * problem->x_row_bytes);
  }
}

// Quantised weights are random bytes, so that every bit of every field is used, with sane scales.
Problem RandomProblem(TensorType type, std::size_t rows, std::size_t columns, std::size_t tokens) {
  Random random(rows * 1000003 + columns * 1009 + tokens + static_cast<std::size_t>(type));
  Problem problem{type, rows, columns, tokens, 0, 0, {}, {}};
  problem.row_bytes = RowBytes(type, columns).value();
  problem.weight_bytes.resize(rows * problem.row_bytes + PromisedAlignment(type));
  for (std::size_t row = 0; row < rows; ++row) {
    std::byte* bytes = problem.weights() + row * problem.row_bytes;
    if (TraitsOf(type).block_elements == 1) {
      QuantizeRow(type, RandomFloats(random, columns).data(), columns, bytes);
      continue;
    }
    for (std::size_t i = 0; i < problem.row_bytes; ++i) {
      bytes[i] = static_cast<std::byte>(random.NextBelow(256));
    }
    const auto scale = FloatToHalf(static_cast<float>(random.NextUnit() * 0.01 + 1e-4));
    const auto sign = static_cast<std::uint16_t>(random.NextBelow(2) << 15);
    SetScales(problem, bytes, scale | sign, static_cast<std::uint8_t>(116 + random.NextBelow(8)));
  }
  problem.x_row_bytes = ActivationRowBytes(ActivationTypeFor(type), columns);
  problem.x.resize(tokens * problem.x_row_bytes);
  EncodeActivations(random, 1, &problem);
  return problem;
}

std::vector<float> Decode(TensorType type, const std::byte* row, std::size_t columns) {
  std::vector<float> values(columns);
  DequantizeRow(type, row, columns, values.data());
  return values;
}

std::vector<float> DecodeActivations(const Problem& problem, std::size_t token) {
  const std::byte* row = problem.x.data() + token * problem.x_row_bytes;
  switch (ActivationTypeFor(problem.type)) {
    case ActivationType::kF32: return Decode(TensorType::kF32, row, problem.columns);
    case ActivationType::kF16: return Decode(TensorType::kF16, row, problem.columns);
    case ActivationType::kBF16: return Decode(TensorType::kBF16, row, problem.columns);
    case ActivationType::kQ8_0: return Decode(TensorType::kQ8_0, row, problem.columns);
    case ActivationType::kQ8_K: break;
  }
  std::vector<float> values(problem.columns);
  for (std::size_t i = 0; i < values.size(); ++i) {
    BlockQ8_K block;
    std::memcpy(&block, row + i / kSuperBlock * sizeof(block), sizeof(block));
    values[i] = block.d * static_cast<float>(block.qs[i % kSuperBlock]);
  }
  return values;
}

// Each block's scales get these signs.
void SetSigns(const Problem& problem, std::byte* row, const std::vector<std::uint16_t>& signs) {
  const auto offsets = ScaleOffsets(problem.type);
  for (std::size_t block = 0; block < problem.row_bytes;
       block += TraitsOf(problem.type).block_bytes) {
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      std::uint16_t half;
      std::memcpy(&half, row + block + offsets[i], sizeof(half));
      half = (half & 0x7fffu) | signs[i];
      std::memcpy(row + block + offsets[i], &half, sizeof(half));
    }
  }
}

// For each weight, the magnitudes of the parts that a kernel may sum apart from each other: scale
// times quant, and minimum or offset.
std::vector<float> Magnitudes(const Problem& problem, std::size_t row) {
  const std::byte* bytes = problem.weights() + row * problem.row_bytes;
  std::vector<std::byte> copy(bytes, bytes + problem.row_bytes);
  const bool adds_minima = problem.type == TensorType::kQ4_1 || problem.type == TensorType::kQ5_1;
  if (ScaleOffsets(problem.type).size() == 2) {
    SetSigns(problem, copy.data(), {0, static_cast<std::uint16_t>(adds_minima ? 0 : 0x8000)});
    return Decode(problem.type, copy.data(), problem.columns);
  }
  std::vector<float> values = Decode(problem.type, bytes, problem.columns);
  for (float& value : values) value = std::fabs(value);
  // With every quant the least there is, what is left are the offsets.
  if (problem.type == TensorType::kQ6_K) {
    for (std::size_t block = 0; block < copy.size(); block += sizeof(BlockQ6_K)) {
      std::memset(copy.data() + block, 0, offsetof(BlockQ6_K, scales));
    }
  } else if (problem.type == TensorType::kQ3_K) {
    for (std::size_t block = 0; block < copy.size(); block += sizeof(BlockQ3_K)) {
      std::memset(copy.data() + block, 0, offsetof(BlockQ3_K, scales));
    }
  } else {
    return values;
  }
  const std::vector<float> offsets = Decode(problem.type, copy.data(), problem.columns);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += std::fabs(offsets[i]);
  return values;
}

std::vector<std::size_t> ColumnCounts(TensorType type) {
  const std::size_t block = TraitsOf(type).block_elements;
  if (block == 1) return {1, 3, 8, 15, 16, 17, 32, 47, 100, 512};
  return {block, 2 * block, 3 * block, 7 * block};
}

using Case = std::tuple<const KernelTable*, TensorType>;

class MatMulTest : public testing::TestWithParam<Case> {
 protected:
  const KernelTable& table() const { return *std::get<0>(GetParam()); }
  TensorType type() const { return std::get<1>(GetParam()); }
  auto mat_mul() const { return table().mat_mul[static_cast<std::size_t>(type())]; }
};

// Terms of the float sum: a block's dot product is exact, so blocks count, not elements; a few
// roundings more for scales, conversion and the sum over lanes.
void ExpectNearDoublePrecision(const Problem& problem, const std::vector<float>& y) {
  const std::size_t terms = problem.columns / TraitsOf(problem.type).block_elements + 16;
  for (std::size_t row = 0; row < problem.rows; ++row) {
    const auto weights =
        Decode(problem.type, problem.weights() + row * problem.row_bytes, problem.columns);
    const auto magnitudes = Magnitudes(problem, row);
    for (std::size_t token = 0; token < problem.tokens; ++token) {
      const auto x = DecodeActivations(problem, token);
      double expected = 0;
      double magnitude = 0;
      for (std::size_t i = 0; i < problem.columns; ++i) {
        expected += static_cast<double>(weights[i]) * static_cast<double>(x[i]);
        magnitude += static_cast<double>(magnitudes[i]) * std::fabs(static_cast<double>(x[i]));
      }
      EXPECT_NEAR(static_cast<double>(y[token * problem.rows + row]), expected,
                  static_cast<double>(terms) * kUnitRoundoff * magnitude)
          << problem.columns << " columns, row " << row << ", token " << token;
    }
  }
}

TEST_P(MatMulTest, AgreesWithDoublePrecision) {
  for (const std::size_t columns : ColumnCounts(type())) {
    const Problem problem = RandomProblem(type(), 19, columns, 6);
    std::vector<float> y(problem.rows * problem.tokens);
    mat_mul()(problem.Args(y.data()));
    ExpectNearDoublePrecision(problem, y);
  }
}

// Zero, the least and the largest subnormal half, the largest halves; the exponents at both
// ends, up to where MXFP4's 12 is still a float. Activations are such that products of scales are
// normal floats, and results finite.
TEST_P(MatMulTest, ScalesMayBeExtreme) {
  struct Extreme {
    std::uint16_t half;
    std::uint8_t exponent;
    double activations;
  };
  const Extreme extremes[] = {{0x0000, 0, 1e5},    {0x0001, 1, 1e5},    {0x83ff, 2, 1e5},
                              {0x7bff, 250, 1e-3}, {0xfbff, 251, 1e-3}, {0x0400, 252, 1e-3}};
  for (const Extreme& extreme : extremes) {
    SCOPED_TRACE(extreme.half);
    Problem problem = RandomProblem(type(), 3, 1280, 5);
    if (TraitsOf(type()).block_elements == 1) return;
    for (std::size_t row = 0; row < problem.rows; ++row) {
      SetScales(problem, problem.weights() + row * problem.row_bytes, extreme.half,
                extreme.exponent);
    }
    Random random(extreme.exponent);
    EncodeActivations(random, extreme.activations, &problem);
    std::vector<float> y(problem.rows * problem.tokens);
    mat_mul()(problem.Args(y.data()));
    ExpectNearDoublePrecision(problem, y);
    for (const float value : y) EXPECT_TRUE(std::isfinite(value));
  }
}

// The largest integers there can be: nothing saturates.
TEST_P(MatMulTest, QuantsAndActivationsMayAllBeLargest) {
  if (TraitsOf(type()).block_elements == 1) return;
  for (const int bits : {0x00, 0x7f, 0x80, 0x88, 0xff}) {
    for (const float sign : {-1.0f, 1.0f}) {
      Problem problem = RandomProblem(type(), 2, 512, 1);
      std::fill(problem.weight_bytes.begin(), problem.weight_bytes.end(),
                static_cast<std::byte>(bits));
      for (std::size_t row = 0; row < problem.rows; ++row) {
        SetScales(problem, problem.weights() + row * problem.row_bytes, 0x3c00, 128);
      }
      const std::vector<float> x(512, sign * 127.0f);
      const auto activation = static_cast<std::size_t>(ActivationTypeFor(type()));
      table().encode[activation](x.data(), x.size(), problem.x.data());
      std::vector<float> y(problem.rows);
      mat_mul()(problem.Args(y.data()));
      ExpectNearDoublePrecision(problem, y);
    }
  }
}

// The same bound twice over: each of the two is that near to the truth.
TEST_P(MatMulTest, AgreesWithTheReferenceOnLongRows) {
  const Problem problem = RandomProblem(type(), 5, 4096, 3);
  std::vector<float> y(problem.rows * problem.tokens);
  std::vector<float> expected(y.size());
  mat_mul()(problem.Args(y.data()));
  ReferenceKernels().mat_mul[static_cast<std::size_t>(type())](problem.Args(expected.data()));
  const std::size_t terms = 4096 / TraitsOf(type()).block_elements + 16;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto magnitudes = Magnitudes(problem, i % problem.rows);
    const auto x = DecodeActivations(problem, i / problem.rows);
    double magnitude = 0;
    for (std::size_t c = 0; c < x.size(); ++c) {
      magnitude += static_cast<double>(magnitudes[c]) * std::fabs(static_cast<double>(x[c]));
    }
    EXPECT_NEAR(static_cast<double>(y[i]), static_cast<double>(expected[i]),
                2 * static_cast<double>(terms) * kUnitRoundoff * magnitude);
  }
}

// K1: rows and tokens one by one, in any split, give the same bits as all at once.
TEST_P(MatMulTest, DoesNotDependOnTheTiling) {
  const std::size_t block = TraitsOf(type()).block_elements;
  const std::size_t columns = block == 1 ? 203 : block == kSmallBlock ? 800 : 768;
  for (const std::size_t tokens : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u}) {
    const Problem problem = RandomProblem(type(), 37, columns, tokens);
    std::vector<float> all(problem.rows * tokens);
    mat_mul()(problem.Args(all.data()));

    std::vector<float> by_token(all.size());
    for (std::size_t token = 0; token < tokens; ++token) {
      MatMulArgs args = problem.Args(by_token.data() + token * problem.rows);
      args.x += token * args.x_row_bytes;
      args.token_count = 1;
      mat_mul()(args);
    }
    EXPECT_EQ(std::memcmp(all.data(), by_token.data(), all.size() * sizeof(float)), 0) << tokens;

    std::vector<float> by_rows(all.size());
    const std::size_t borders[] = {0, 1, 1, 6, 22, 36, 37};
    for (std::size_t i = 0; i + 1 < std::size(borders); ++i) {
      MatMulArgs args = problem.Args(by_rows.data());
      args.row_begin = borders[i];
      args.row_end = borders[i + 1];
      mat_mul()(args);
    }
    EXPECT_EQ(std::memcmp(all.data(), by_rows.data(), all.size() * sizeof(float)), 0) << tokens;
  }
}

TEST_P(MatMulTest, WritesOnlyItsRowsAndHonoursTheStride) {
  const Problem problem = RandomProblem(type(), 9, 256, 3);
  const std::size_t stride = 13;
  std::vector<float> y(problem.tokens * stride, 77.0f);
  std::vector<float> all(problem.rows * problem.tokens);
  mat_mul()(problem.Args(all.data()));
  MatMulArgs args = problem.Args(y.data());
  args.row_begin = 2;
  args.row_end = 7;
  args.y_stride = stride;
  mat_mul()(args);
  for (std::size_t token = 0; token < problem.tokens; ++token) {
    for (std::size_t row = 0; row < stride; ++row) {
      const bool computed = row >= 2 && row < 7;
      EXPECT_EQ(y[token * stride + row], computed ? all[token * problem.rows + row] : 77.0f);
    }
  }
}

TEST_P(MatMulTest, NanShowsInItsTokenOnly) {
  Problem problem = RandomProblem(type(), 3, 512, 5);
  std::vector<float> x(512, 0.5f);
  x[300] = std::numeric_limits<float>::quiet_NaN();
  const auto activation = static_cast<std::size_t>(ActivationTypeFor(type()));
  table().encode[activation](x.data(), x.size(), problem.x.data() + 2 * problem.x_row_bytes);
  std::vector<float> y(problem.rows * problem.tokens);
  mat_mul()(problem.Args(y.data()));
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_EQ(std::isnan(y[i]), i / problem.rows == 2) << i;
  }
}

std::string CaseName(const testing::TestParamInfo<Case>& param) {
  return std::string(std::get<0>(param.param)->name) + "_" +
         std::string(TraitsOf(std::get<1>(param.param)).name);
}

INSTANTIATE_TEST_SUITE_P(Kernels, MatMulTest,
                         testing::Combine(AllTables(), testing::ValuesIn(kTypes)), CaseName);

}  // namespace
}  // namespace edgemoe
