// SPDX-License-Identifier: Apache-2.0
//
// The functions that each table is made of, declared once in the namespace of each instruction set;
// KernelTable says what they do. Includes plain types only: an inline function of the standard
// library that is compiled for AVX-512 here could be the copy that the linker keeps for the whole
// program.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/mat_mul_args.h"
#include "engine/kernels/state_scan_args.h"

#define EDGEMOE_DECLARE_KERNELS(isa)                                                             \
  namespace edgemoe::isa {                                                                       \
  void MatMulF32(const MatMulArgs& args);                                                        \
  void MatMulF16(const MatMulArgs& args);                                                        \
  void MatMulBF16(const MatMulArgs& args);                                                       \
  void MatMulQ8_0(const MatMulArgs& args);                                                       \
  void MatMulQ4_0(const MatMulArgs& args);                                                       \
  void MatMulQ4_K(const MatMulArgs& args);                                                       \
  void MatMulQ5_K(const MatMulArgs& args);                                                       \
  void MatMulQ6_K(const MatMulArgs& args);                                                       \
  void MatMulQ2_K(const MatMulArgs& args);                                                       \
  void MatMulQ3_K(const MatMulArgs& args);                                                       \
  void MatMulQ4_1(const MatMulArgs& args);                                                       \
  void MatMulQ5_0(const MatMulArgs& args);                                                       \
  void MatMulQ5_1(const MatMulArgs& args);                                                       \
  void MatMulIQ4_NL(const MatMulArgs& args);                                                     \
  void MatMulMXFP4(const MatMulArgs& args);                                                      \
  void MatMulIQ4_XS(const MatMulArgs& args);                                                     \
  void MatMulIQ3_S(const MatMulArgs& args);                                                      \
  void MatMulIQ3_XXS(const MatMulArgs& args);                                                    \
  void MatMulIQ2_S(const MatMulArgs& args);                                                      \
  void MatMulIQ2_XS(const MatMulArgs& args);                                                     \
  void MatMulIQ2_XXS(const MatMulArgs& args);                                                    \
  void EncodeF32(const float* x, std::size_t n, std::byte* encoded);                             \
  void EncodeF16(const float* x, std::size_t n, std::byte* encoded);                             \
  void EncodeBF16(const float* x, std::size_t n, std::byte* encoded);                            \
  void EncodeQ8_0(const float* x, std::size_t n, std::byte* encoded);                            \
  void EncodeQ8_K(const float* x, std::size_t n, std::byte* encoded);                            \
  void RmsNorm(const float* x, const float* weight, std::size_t n, float epsilon, float* out);   \
  void RopeNeox(float* head, std::size_t head_size, const float* cosines, const float* sines);   \
  void Swiglu(const float* gate, const float* up, std::size_t n, float* out);                    \
  void ClampedSwiglu(const float* gate, const float* up, std::size_t n, float* out);             \
  void SoftCap(float* x, std::size_t n, float cap);                                              \
  void Geglu(const float* gate, const float* up, std::size_t n, float* out);                     \
  void Softmax(float* x, std::size_t n);                                                         \
  void AddScaled(const float* x, float scale, std::size_t n, float* y);                          \
  void ToHalf(const float* x, std::size_t n, std::uint16_t* out);                                \
  void AttentionScores(const float* q, const std::uint16_t* keys, std::size_t key_stride,        \
                       std::size_t count, std::size_t head_size, float scale, float* scores);    \
  void AttentionMix(const float* weights, const std::uint16_t* values, std::size_t value_stride, \
                    std::size_t count, std::size_t head_size, float* out);                       \
  void StateScan(const StateScanArgs& args);                                                     \
  void DeltaRule(const DeltaRuleArgs& args);                                                     \
  }

EDGEMOE_DECLARE_KERNELS(ref)
EDGEMOE_DECLARE_KERNELS(avx2)
EDGEMOE_DECLARE_KERNELS(avx512)
EDGEMOE_DECLARE_KERNELS(neon)

#undef EDGEMOE_DECLARE_KERNELS
