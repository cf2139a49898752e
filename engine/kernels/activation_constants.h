// SPDX-License-Identifier: Apache-2.0
//
// What the kernels of all instruction sets take for the activations, and what differentiates them.
#pragma once

namespace edgemoe {

// The clamped SwiGLU of gpt-oss, as its model card gives it.
constexpr float kSwigluLimit = 7.0F;
constexpr float kSwigluSharpness = 1.702F;

// Of GELU's tanh form: 2 * sqrt(2 / pi), and the share of the cube.
constexpr float kGeluSlope = 1.5957691216F;
constexpr float kGeluCubic = 0.044715F;

}  // namespace edgemoe
