// SPDX-License-Identifier: Apache-2.0
//
// The models that are held against llama.cpp: every feature of every architecture, at values that
// are no default, and small. What a wrong reading of each would change is in sensitivity.md.
#pragma once

#include <string>
#include <vector>

#include "tests/support/models/random_model.h"

namespace edgemoe {

struct Fixture {
  std::string name;
  RandomModelOptions model;
};

// Each model once with F32 weights and, as NAME-TYPE, once with quantised ones.
const std::vector<Fixture>& Fixtures();
// The model as a file that llama.cpp computes the same from: its qwen3moe passes over the key
// expert_weights_scale, so that instead the down matrices are multiplied by it. A power of two
// changes no rounding. It also passes over rope.scaling.yarn_*, for which it has options.
RandomModelOptions ForLlama(const RandomModelOptions& model);

// Those of an architecture whose weights are all F32; empty: of all architectures.
std::vector<const Fixture*> PlainFixtures(std::string_view architecture = {});

// Null when there is none of that name.
const Fixture* FindFixture(std::string_view name);

}  // namespace edgemoe
