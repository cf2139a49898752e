// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>

#include "engine/bits/requantised_tensors.h"

namespace edgemoe {
namespace {

// `count` of [0, total), evenly spread, with both ends. REQUIRES: count >= 2, or total is 1.
std::vector<std::size_t> Spread(std::size_t total, std::size_t count) {
  std::vector<std::size_t> places;
  if (count >= total) {
    for (std::size_t i = 0; i < total; ++i) places.push_back(i);
    return places;
  }
  for (std::size_t i = 0; i < count; ++i) places.push_back(i * (total - 1) / (count - 1));
  return places;
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
    for (const auto& [group, tensors] : groups_) {
      const PackTensor& tensor = study.tensors()[tensors.front()];
      kinds_[{tensor.role, tensor.rows(), tensor.columns()}].push_back(group);
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
  // Of each kind its first and last layer, and as many between them as there are passes for.
  std::vector<Sensitivity::Group> ChooseGroups() const {
    std::size_t alone = 0;  // kinds of one group, as those of the whole model
    for (const auto& [kind, groups] : kinds_) alone += groups.size() == 1 ? 1 : 0;
    const std::size_t passes = kProbesMax - std::min<std::size_t>(alone, kProbesMax);
    const std::size_t each = passes / std::max<std::size_t>(kinds_.size() - alone, 1);
    std::vector<Sensitivity::Group> probed;
    for (const auto& [kind, groups] : kinds_)
      for (const std::size_t place : Spread(groups.size(), std::max<std::size_t>(each, 2)))
        probed.push_back(groups[place]);
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

  // Layers between two of their kind that were probed: on the line between their logarithms.
  void Interpolate() {
    std::map<Sensitivity::Group, double> between;
    for (const auto& [kind, groups] : kinds_) {
      std::size_t below = 0;
      for (std::size_t above = 1; above < groups.size(); ++above) {
        if (!result_.of_.contains(groups[above])) continue;
        const double low = std::max(result_.of_.at(groups[below]), 1e-30);
        const double high = std::max(result_.of_.at(groups[above]), 1e-30);
        for (std::size_t i = below + 1; i < above; ++i) {
          const double share = static_cast<double>(groups[i].second - groups[below].second) /
                               (groups[above].second - groups[below].second);
          between[groups[i]] = std::exp(std::log(low) * (1 - share) + std::log(high) * share);
        }
        below = above;
      }
    }
    result_.of_.merge(between);
  }

  SourceStudy& study_;
  const SensitivityJob& job_;
  RequantisedTensors overlay_;
  std::map<Sensitivity::Group, std::vector<std::size_t>> groups_;  // tensors of each
  // Groups of a role and shape, in the order of layers: a model's layers may be of several kinds.
  std::map<std::tuple<TensorRole, std::uint64_t, std::uint64_t>, std::vector<Sensitivity::Group>>
      kinds_;
  Sensitivity result_;
};

Result<Sensitivity> MeasureSensitivity(SourceStudy& study, const SensitivityJob& job) {
  return SensitivityTrial(study, job).Run();
}

}  // namespace edgemoe
