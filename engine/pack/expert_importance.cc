// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/expert_importance.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include "engine/pack/pack_writer.h"
#include "engine/pack/tensor_overlay.h"
#include "engine/pack/type_search.h"

namespace edgemoe {
namespace {

std::string LogName(const PackTensor& gate) {
  return "alone/" + std::to_string(gate.layer.value) + "/" + std::to_string(gate.expert.value);
}

Result<std::unique_ptr<OfflineModel>> OpenBase(PackStudy& study, const ImportanceJob& job) {
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

Result<std::vector<double>> MeasureExpertImportance(PackStudy& study, const ImportanceJob& job) {
  const std::vector<PackTensor>& tensors = study.tensors();
  std::vector<std::size_t> gates;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].role == TensorRole::kGate) gates.push_back(i);
  std::vector<double> importance;
  std::unique_ptr<OfflineModel> model;
  TensorOverlay overlay(study, job.pool);
  for (const std::size_t gate : gates) {
    if (job.progress) job.progress(importance.size(), gates.size());
    const std::string name = LogName(tensors[gate]);
    std::optional<double> kl = job.log->Find(name);
    if (!kl) {
      if (model == nullptr) {
        EDGEMOE_ASSIGN_OR_FAIL(model, OpenBase(study, job));
      }
      const std::size_t expert[] = {gate, gate + 1, gate + 2};
      EDGEMOE_FAIL_IF_ERROR(overlay.Apply(*model, expert, kEdgemoeWidths[0]));
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
