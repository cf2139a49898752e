// SPDX-License-Identifier: Apache-2.0
//
// The loops of x86/mat_mul_tile.inc, compiled for AVX2.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "engine/kernels/mat_mul_args.h"

namespace edgemoe::avx2 {
namespace {

#include "engine/kernels/x86/mat_mul_tile.inc"

}  // namespace
}  // namespace edgemoe::avx2
