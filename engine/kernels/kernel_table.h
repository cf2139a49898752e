// SPDX-License-Identifier: Apache-2.0
//
// The numeric operations of a forward pass, as a table of plain functions: one table an instruction
// set, chosen once at start. Every function is pure, thread-safe and allocation-free.
//
// Invariant (K1): the value written for one (row, token) or one element depends only on that row,
// that token's activations and `columns`: never on the row range, the number of tokens in the call,
// or the thread. So results are the same to the bit for any batch and any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/kernels/mat_mul_args.h"
#include "engine/kernels/state_scan_args.h"
#include "engine/quant/tensor_type.h"

namespace edgemoe {

// How activations are encoded before they meet weights of some type.
enum class ActivationType : std::uint8_t {
  kF32,   // float
  kF16,   // binary16 bits
  kBF16,  // bfloat16 bits
  kQ8_0,  // BlockQ8_0, 32 elements a block
  kQ8_K,  // BlockQ8_K, 256 elements a block
};
constexpr std::size_t kActivationTypeCount = 5;

// F32 -> kF32, F16 -> kF16, BF16 -> kBF16, types in blocks of 32 -> kQ8_0, of 256 -> kQ8_K.
// REQUIRES: TraitsOf(weights).computable.
ActivationType ActivationTypeFor(TensorType weights);
// REQUIRES: columns is a whole number of the type's blocks.
std::size_t ActivationRowBytes(ActivationType type, std::size_t columns);

struct KernelTable {
  const char* name;  // "ref", "avx2", "avx512", "neon"

  // y[token, row] = sum over columns of weights[row, c] * x[token, c]. Indexed by TensorType's
  // number; null where the type is not computable. `weights` needs the alignment of 2 bytes only,
  // MXFP4's of one.
  std::array<void (*)(const MatMulArgs& args), kTensorTypeCount> mat_mul;

  // x [n] -> `encoded`, one row of ActivationRowBytes(type, n), aligned to 4 bytes. Indexed by
  // ActivationType. Every table writes the same bits for the same x. A block in which some x is NaN
  // gets NaN as its scale, so that NaN shows in the results.
  std::array<void (*)(const float* x, std::size_t n, std::byte* encoded), kActivationTypeCount>
      encode;

  // out[i] = x[i] / sqrt(mean(x^2) + epsilon) * weight[i]; out may be x. The mean is summed in
  // double.
  void (*rms_norm)(const float* x, const float* weight, std::size_t n, float epsilon, float* out);

  // Rotates one head [head_size] in place, NEOX pairing (i, i + head_size / 2), by cosines and
  // sines [head_size / 2].
  void (*rope_neox)(float* head, std::size_t head_size, const float* cosines, const float* sines);

  // out[i] = silu(gate[i]) * up[i]; out may be gate.
  void (*swiglu)(const float* gate, const float* up, std::size_t n, float* out);

  // gpt-oss, with the constants of activation_constants.h: with g = min(gate[i], kSwigluLimit) and
  // u = up[i] clamped to +-kSwigluLimit, out[i] = g * sigmoid(kSwigluSharpness * g) * (u + 1); out
  // may be gate.
  void (*clamped_swiglu)(const float* gate, const float* up, std::size_t n, float* out);

  // out[i] = gelu(gate[i]) * up[i], with the tanh form of GELU (arXiv 1606.08415):
  // gelu(g) = g * sigmoid(kGeluSlope * (g + kGeluCubic * g^3)); out may be gate.
  void (*geglu)(const float* gate, const float* up, std::size_t n, float* out);

  // x[i] = cap * tanh(x[i] / cap), in place; cap > 0.
  void (*soft_cap)(float* x, std::size_t n, float cap);

  // In place over x [n]; subtracts the maximum first. n > 0.
  void (*softmax)(float* x, std::size_t n);

  // y[i] += scale * x[i].
  void (*add_scaled)(const float* x, float scale, std::size_t n, float* y);

  // x [n] floats -> binary16.
  void (*to_half)(const float* x, std::size_t n, std::uint16_t* out);

  // scores[i] = scale * dot(q, keys + i * key_stride) for i in [0, count): q [head_size] floats,
  // keys binary16, key_stride in elements.
  void (*attention_scores)(const float* q, const std::uint16_t* keys, std::size_t key_stride,
                           std::size_t count, std::size_t head_size, float scale, float* scores);

  // out[d] += sum over i of weights[i] * values[i * value_stride + d], in the order of i.
  void (*attention_mix)(const float* weights, const std::uint16_t* values, std::size_t value_stride,
                        std::size_t count, std::size_t head_size, float* out);

  // For each row i of the state: row = decay * row + step * x[i] * b;
  // out[i] = dot(row, c) + skip * x[i], with the new row.
  void (*state_scan)(const StateScanArgs& args);
  // state = decay * state + key (rate * (value - decay * key state)); out = query state, with the
  // new state; vectors are rows.
  void (*delta_rule)(const DeltaRuleArgs& args);
};

}  // namespace edgemoe
