// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/expert_ablation.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include "engine/bits/requantised_tensors.h"
#include "engine/bits/type_search.h"
#include "engine/pack/writer.h"

namespace edgemoe {
namespace {

std::string LogName(const PackTensor& gate) {
  return "alone/" + std::to_string(gate.layer.value) + "/" + std::to_string(gate.key.expert.value);
}

// The three matrices of an expert, as far as the lowest width is another type than the base has.
std::vector<RequantisedTensors::Change> AtLowest(const std::vector<PackTensor>& tensors,
                                                 std::size_t gate) {
  std::vector<RequantisedTensors::Change> changes;
  for (const std::size_t i : {gate, gate + 1, gate + 2}) {
    const TensorType lowest = TypeOr(tensors[i], kEdgemoeWidths[0]);
    if (lowest != TypeOr(tensors[i], kEdgemoeWidths[1])) changes.push_back({i, lowest});
  }
  return changes;
}

Result<std::unique_ptr<OfflineModel>> OpenBase(SourceStudy& study, const AblationJob& job) {
  PackJob base;
  base.source_path = study.source().files().front().path();
  base.output_path = job.base_path;
  base.overwrite = true;
  base.recipe = {.method = "edgemoe", .types = EdgemoeBase(study)};
  base.threads = job.threads;
  base.cancelled = job.cancelled;
  EDGEMOE_FAIL_IF_ERROR(study.RecordReference());
  study.Release();
  const Result<PackResult> written = RunPackJob(base);
  if (!written) return Failure(written.error());
  return study.OpenModel(job.base_path);
}

}  // namespace

Result<std::vector<double>> AblateExperts(SourceStudy& study, const AblationJob& job) {
  const std::vector<PackTensor>& tensors = study.tensors();
  std::vector<std::size_t> gates;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].role == TensorRole::kGate) gates.push_back(i);
  std::vector<double> importance;
  std::unique_ptr<OfflineModel> model;
  RequantisedTensors overlay(study, job.pool, job.cancelled);
  for (const std::size_t gate : gates) {
    if (job.progress) job.progress(importance.size(), gates.size());
    const std::string name = LogName(tensors[gate]);
    std::optional<double> kl = job.log->Find(name);
    if (!kl) {
      if (model == nullptr) {
        EDGEMOE_ASSIGN_OR_FAIL(model, OpenBase(study, job));
      }
      EDGEMOE_FAIL_IF_ERROR(overlay.Apply(*model, AtLowest(tensors, gate)));
      EDGEMOE_ASSIGN_OR_FAIL(const Quality quality, study.Measure(*model));
      kl = quality.mean_kl;
      EDGEMOE_FAIL_IF_ERROR(job.log->Add(name, *kl));
      EDGEMOE_FAIL_IF_ERROR(job.log->Sync());
    }
    importance.push_back(*kl);
  }
  if (job.progress) job.progress(gates.size(), gates.size());
  std::error_code ignored;
  std::filesystem::remove(job.base_path, ignored);
  return importance;
}

}  // namespace edgemoe
