// SPDX-License-Identifier: Apache-2.0
//
// The loops around every AVX2 matrix product. Rows are taken in chunks that stay in the first-level
// cache while tiles of up to four tokens pass by, so that a block of weights is unpacked once for
// four tokens, and activations are loaded once for `Format::kRowTile` rows.
//
// `Format::Dot<kRows, kTokens>(weights, row_bytes, x, columns, sums)` gives sums[r][t], the dot
// products of kRows rows with kTokens tokens. Its operations on one row and one token do not depend
// on kRows and kTokens: that is K1.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "engine/kernels/mat_mul_args.h"

namespace edgemoe::avx2 {
namespace {

constexpr std::size_t kRowChunk = 16;
constexpr std::size_t kTokenTile = 4;

// Asks for the `count` rows from `row` on. A row is too short for the processor to see a stream in
// it, least of all where several rows are read at once; the first lines of a long one will do.
inline void Prefetch(const MatMulArgs& args, std::size_t row, std::size_t count) {
  constexpr std::size_t kLineBytes = 64;
  constexpr std::size_t kMaxBytes = 8192;
  const std::byte* begin = args.weights + row * args.weight_row_bytes;
  const std::size_t bytes = count * args.weight_row_bytes;
  for (std::size_t at = 0; at < bytes && at < kMaxBytes; at += kLineBytes) {
    _mm_prefetch(reinterpret_cast<const char*>(begin + at), _MM_HINT_T0);
  }
}

template <class Format, std::size_t kRows, std::size_t kTokens>
void MultiplyRows(const MatMulArgs& args, const std::byte* const (&x)[kTokens], std::size_t row,
                  std::size_t token) {
  float sums[kRows][kTokens];
  Format::template Dot<kRows, kTokens>(args.weights + row * args.weight_row_bytes,
                                       args.weight_row_bytes, x, args.columns, sums);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t t = 0; t < kTokens; ++t) {
      args.y[(token + t) * args.y_stride + row + r] = sums[r][t];
    }
  }
}

template <class Format, std::size_t kTokens>
void MultiplyTile(const MatMulArgs& args, std::size_t row_begin, std::size_t row_end,
                  std::size_t token) {
  const std::byte* x[kTokens];
  for (std::size_t t = 0; t < kTokens; ++t) x[t] = args.x + (token + t) * args.x_row_bytes;
  std::size_t row = row_begin;
  for (; row + Format::kRowTile <= row_end; row += Format::kRowTile) {
    if (row + 2 * Format::kRowTile <= args.row_end) {
      Prefetch(args, row + Format::kRowTile, Format::kRowTile);
    }
    MultiplyRows<Format, Format::kRowTile>(args, x, row, token);
  }
  for (; row < row_end; ++row) MultiplyRows<Format, 1>(args, x, row, token);
}

template <class Format>
void MultiplyTiled(const MatMulArgs& args) {
  for (std::size_t begin = args.row_begin; begin < args.row_end; begin += kRowChunk) {
    const std::size_t end = begin + kRowChunk < args.row_end ? begin + kRowChunk : args.row_end;
    std::size_t token = 0;
    for (; token + kTokenTile <= args.token_count; token += kTokenTile) {
      MultiplyTile<Format, kTokenTile>(args, begin, end, token);
    }
    switch (args.token_count - token) {
      case 3: MultiplyTile<Format, 3>(args, begin, end, token); break;
      case 2: MultiplyTile<Format, 2>(args, begin, end, token); break;
      case 1: MultiplyTile<Format, 1>(args, begin, end, token); break;
      default: break;
    }
  }
}

}  // namespace
}  // namespace edgemoe::avx2
