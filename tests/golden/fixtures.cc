// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/fixtures.h"

#include <algorithm>
#include <iterator>

#include "tests/golden/fixtures/families.h"

namespace edgemoe {
namespace {

std::vector<Fixture> All() {
  std::vector<Fixture> all;
  for (const auto family : {DeepSeekFixtures, GemmaFixtures, GptOssFixtures, GraniteFixtures,
                            Lfm2Fixtures, LlamaFixtures, OlmoeFixtures, QwenFixtures})
    std::ranges::move(family(), std::back_inserter(all));
  return all;
}

}  // namespace

const std::vector<Fixture>& Fixtures() {
  static const std::vector<Fixture> fixtures = All();
  return fixtures;
}

RandomModelOptions ForLlama(const RandomModelOptions& model) {
  const std::optional<ExpertsConfig>& experts = model.config.layers.back().experts;
  const float scale = experts ? experts->weights_scale : 1;
  if (scale == 1 || model.config.architecture == "deepseek2") return model;
  RandomModelOptions other = model;
  for (LayerConfig& layer : other.config.layers)
    if (layer.experts) layer.experts->weights_scale = 1;
  other.spread = [spread = model.spread, scale](TensorRole role, std::uint64_t columns) {
    WeightSpread of = spread(role, columns);
    if (role == TensorRole::kDown) of.reach *= static_cast<double>(scale);
    return of;
  };
  return other;
}

std::vector<const Fixture*> PlainFixtures(std::string_view architecture) {
  std::vector<const Fixture*> found;
  for (const Fixture& fixture : Fixtures()) {
    const RandomModelOptions& model = fixture.model;
    if ((architecture.empty() || model.config.architecture == architecture) && !model.type_of &&
        model.tensor_types.empty())
      found.push_back(&fixture);
  }
  return found;
}

const Fixture* FindFixture(std::string_view name) {
  const auto found = std::ranges::find(Fixtures(), name, &Fixture::name);
  return found == Fixtures().end() ? nullptr : &*found;
}

}  // namespace edgemoe
