// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "engine/base/check.h"
#include "engine/bits/requantised_tensors.h"

namespace edgemoe {
namespace {

// `count` of [0, total), evenly spread, with both ends.
std::vector<std::uint32_t> SpreadLayers(std::uint32_t total, std::uint32_t count) {
  std::vector<std::uint32_t> layers;
  if (count >= total) {
    for (std::uint32_t layer = 0; layer < total; ++layer) layers.push_back(layer);
    return layers;
  }
  for (std::uint32_t i = 0; i < count; ++i) layers.push_back(i * (total - 1) / (count - 1));
  return layers;
}

}  // namespace

class SensitivityTrial {
 public:
  SensitivityTrial(SourceStudy& study, const SensitivityJob& job)
      : study_(study), job_(job), overlay_(study, job.pool, job.cancelled) {
    for (std::size_t i = 0; i < study.tensors().size(); ++i) {
      const PackTensor& tensor = study.tensors()[i];
      if (IsRequantisable(tensor.role)) groups_[{tensor.role, tensor.layer.value}].push_back(i);
    }
  }

  Result<Sensitivity> Run() {
    const std::vector<Sensitivity::Group> probed = ChooseGroups();
    std::uint64_t done = 0;
    for (const Sensitivity::Group& group : probed) {
      if (job_.progress) job_.progress(done++, probed.size());
      EDGEMOE_ASSIGN_OR_FAIL(const double value, Probe(group));
      result_.of_[group] = value;
    }
    if (job_.progress) job_.progress(done, probed.size());
    result_.probe_count_ = probed.size();
    Interpolate();
    return std::move(result_);
  }

 private:
  std::vector<Sensitivity::Group> ChooseGroups() const {
    const std::uint32_t layer_count = study_.source().config().layer_count();
    std::map<TensorRole, std::uint32_t> layers_of_role;
    for (const auto& [group, tensors] : groups_) ++layers_of_role[group.first];
    std::uint32_t in_layers = 0;  // roles; the others are of the whole model, a probe each
    for (const auto& [role, count] : layers_of_role) in_layers += count > 1 ? 1 : 0;
    const auto alone = static_cast<std::uint32_t>(layers_of_role.size()) - in_layers;
    const std::uint32_t each = (kProbesMax - alone) / std::max<std::uint32_t>(in_layers, 1);
    const std::vector<std::uint32_t> layers = SpreadLayers(layer_count, each);
    std::vector<Sensitivity::Group> probed;
    for (const auto& [group, tensors] : groups_)
      if (layers_of_role[group.first] == 1 ||
          std::ranges::find(layers, group.second) != layers.end())
        probed.push_back(group);
    return probed;
  }

  double DamageOf(const std::vector<std::size_t>& tensors, std::size_t type) const {
    double damage = 0;
    for (const std::size_t i : tensors) damage += job_.damages->of(i, type);
    return damage;
  }

  // The type for a group: all of its tensors take it, and none has it already. Some of them may not
  // be damaged by it, as an expert of zeros.
  std::optional<std::size_t> ChooseType(const std::vector<std::size_t>& tensors) const {
    std::optional<std::size_t> best;
    for (std::size_t t = 0; t < job_.damages->types().size(); ++t) {
      const TensorType type = job_.damages->types()[t];
      const double damage = DamageOf(tensors, t);
      const auto has_it = [&](std::size_t i) { return study_.tensors()[i].source_type == type; };
      if (BitsPerWeight(type) > kProbeBitsMax || !std::isfinite(damage) || damage <= 0 ||
          std::ranges::any_of(tensors, has_it))
        continue;
      const auto distance = [&](TensorType of) { return std::fabs(BitsPerWeight(of) - job_.bits); };
      if (!best || distance(type) < distance(job_.damages->types()[*best])) best = t;
    }
    return best;
  }

  Result<double> Probe(const Sensitivity::Group& group) {
    const std::vector<std::size_t>& tensors = groups_.at(group);
    const std::optional<std::size_t> type = ChooseType(tensors);
    if (!type) return 0.0;
    const double damage = DamageOf(tensors, *type);
    const TensorType to = job_.damages->types()[*type];
    const std::string name = "kl/" + std::string(TensorRoleName(group.first)) + "/" +
                             std::to_string(group.second) + "/" + std::string(TraitsOf(to).name);
    if (const std::optional<double> known = job_.log->Find(name)) return *known / damage;
    EDGEMOE_FAIL_IF_ERROR(study_.RecordReference());
    EDGEMOE_ASSIGN_OR_FAIL(OfflineModel* const model, study_.SourceModel());
    std::vector<RequantisedTensors::Change> changes;
    changes.reserve(tensors.size());
    for (const std::size_t i : tensors) changes.push_back({i, to});
    EDGEMOE_FAIL_IF_ERROR(overlay_.Apply(*model, changes));
    const Result<Quality> quality = study_.Measure(*model);
    overlay_.Clear(*model);
    if (!quality) return Failure(quality.error());
    EDGEMOE_FAIL_IF_ERROR(job_.log->Add(name, quality->mean_kl));
    EDGEMOE_FAIL_IF_ERROR(job_.log->Sync());
    return quality->mean_kl / damage;
  }

  // Layers between two that were probed: on the line between their logarithms.
  void Interpolate() {
    for (const auto& [group, tensors] : groups_) {
      if (result_.of_.contains(group)) continue;
      const auto [role, layer] = group;
      auto above = result_.of_.upper_bound(group);
      EDGEMOE_CHECK(
          above != result_.of_.begin() && above != result_.of_.end() && above->first.first == role,
          "first and last layers were probed");
      const auto below = std::prev(above);
      const double share = static_cast<double>(layer - below->first.second) /
                           (above->first.second - below->first.second);
      const double low = std::max(below->second, 1e-30);
      const double high = std::max(above->second, 1e-30);
      between_[group] = std::exp(std::log(low) * (1 - share) + std::log(high) * share);
    }
    result_.of_.merge(between_);
  }

  SourceStudy& study_;
  const SensitivityJob& job_;
  RequantisedTensors overlay_;
  std::map<Sensitivity::Group, std::vector<std::size_t>> groups_;  // tensors of each
  std::map<Sensitivity::Group, double> between_;
  Sensitivity result_;
};

Result<Sensitivity> MeasureSensitivity(SourceStudy& study, const SensitivityJob& job) {
  return SensitivityTrial(study, job).Run();
}

}  // namespace edgemoe
