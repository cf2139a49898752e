// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <tuple>

#include "tests/golden/fixtures.h"
#include "tests/support/child_process.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

// Models with more layers of each kind than there are passes for.
class SensitivityTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    RandomModelOptions model = FindFixture(GetParam())->model;
    const std::vector<LayerConfig> layers = model.config.layers;
    while (model.config.layers.size() < 15) {
      // Dense layers stand before those with experts.
      for (const LayerConfig& layer : layers)
        if (layer.experts) model.config.layers.push_back(layer);
    }
    model.config.context_length = 64;
    file_.emplace(RandomModelBytes(model));
    options_.source_path = file_->path();
    options_.output_path = folder_ / "pack.gguf";
    options_.calibration_path = folder_ / "text";
    std::ofstream(options_.calibration_path) << std::string(300, 'a');
    study_ = *SourceStudy::Open(options_);
  }

  TempFolder folder_;
  std::optional<TestFile> file_;
  PackOptions options_;
  std::unique_ptr<SourceStudy> study_;
};

using Kind = std::tuple<TensorRole, std::uint64_t, std::uint64_t>;

TEST_P(SensitivityTest, LayersLieBetweenThoseOfTheirKind) {
  ASSERT_TRUE(study_->Calibrate(folder_ / "calibration", [](auto, auto, auto) {}).ok());
  MeasurementLog log = *MeasurementLog::Open(folder_ / "log", study_->identity());
  ComputePool pool(1);
  const std::vector<TensorType> types = {TensorType::kQ4_0};
  const DamageTable damages = *MeasureDamage(study_->source(), {.tensors = study_->tensors(),
                                                                .types = types,
                                                                .weights = &study_->weights(),
                                                                .pool = &pool,
                                                                .log = &log});
  const auto sensitivity =
      MeasureSensitivity(*study_, {.damages = &damages, .pool = &pool, .log = &log});
  ASSERT_TRUE(sensitivity) << sensitivity.error().ToString();
  EXPECT_LE(sensitivity->probe_count(), kProbesMax);

  std::map<Kind, std::map<std::uint32_t, double>> kinds;
  for (const PackTensor& tensor : study_->tensors()) {
    if (!IsRequantisable(tensor.role)) continue;
    const double value = sensitivity->of(tensor);
    EXPECT_TRUE(std::isfinite(value) && value > 0) << tensor.name;
    kinds[{tensor.role, tensor.rows(), tensor.columns()}][tensor.layer.value] = value;
  }
  std::size_t between = 0;
  std::size_t layer_count = 0;
  // What was measured is in the log.
  const auto measured = [&](TensorRole role, std::uint32_t layer) {
    const std::string name =
        "kl/" + std::string(TensorRoleName(role)) + "/" + std::to_string(layer) + "/Q4_0";
    return log.Find(name).has_value();
  };
  for (const auto& [kind, layers] : kinds) {
    const TensorRole role = std::get<0>(kind);
    layer_count += layers.size();
    const double* below = nullptr;
    for (auto layer = layers.begin(); layer != layers.end(); ++layer) {
      if (measured(role, layer->first)) {
        below = &layer->second;
        continue;
      }
      ++between;
      auto above = layer;
      while (above != layers.end() && !measured(role, above->first)) ++above;
      ASSERT_NE(below, nullptr) << TensorRoleName(role) << layer->first;
      ASSERT_NE(above, layers.end()) << TensorRoleName(role) << layer->first;
      EXPECT_GE(layer->second, std::min(*below, above->second) * 0.999) << layer->first;
      EXPECT_LE(layer->second, std::max(*below, above->second) * 1.001) << layer->first;
    }
  }
  EXPECT_GT(between, 0U);
  EXPECT_EQ(between + sensitivity->probe_count(), layer_count);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, SensitivityTest, testing::Values("gemma4", "lfm2moe"));

}  // namespace
}  // namespace edgemoe
