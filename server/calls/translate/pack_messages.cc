// SPDX-License-Identifier: Apache-2.0
#include "server/calls/translate/pack_messages.h"

#include <filesystem>
#include <system_error>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPathShownMax = 512;

std::string Found(const std::string& path) { return ShowValue(path, kPathShownMax); }

// What stands in the way of a path that may be right otherwise.
Status PathError(StatusCode code, const char* field, const std::string& path,
                 const std::string& why) {
  return {code, field, "found " + Found(path) + ": " + why};
}

Status CheckPath(const char* field, const std::string& path) {
  if (!path.starts_with('/') || path.find('\0') != std::string::npos)
    return InvalidField(field, Found(path), "an absolute path");
  return OkStatus();
}

// A folder as it really is, without links and dots.
Result<fs::path> RealFolder(const char* field, const fs::path& folder) {
  std::error_code error;
  fs::path real = fs::canonical(folder, error);
  if (!error) return real;
  const bool denied = error == std::errc::permission_denied;
  return Failure(PathError(denied ? StatusCode::kPermissionDenied : StatusCode::kNotFound, field,
                           folder.string(), error.message()));
}

bool IsWithin(const fs::path& folder, const fs::path& parent) {
  const fs::path relative = folder.lexically_relative(parent);
  return !relative.empty() && *relative.begin() != "..";
}

// Where the pack goes: a file ending in ".gguf" in a folder that is allowed.
Result<std::string> OutputPath(const v1::PackRequest& request,
                               const std::string& models_directory) {
  const std::string wanted = request.output_path().empty() ? DefaultPackPath(request.source_path())
                                                           : request.output_path();
  EDGEMOE_FAIL_IF_ERROR(CheckPath("output_path", wanted));
  const fs::path output(wanted);
  if (output.extension() != ".gguf")
    return Failure(InvalidField("output_path", Found(wanted), "a file name that ends in .gguf"));
  EDGEMOE_ASSIGN_OR_FAIL(const fs::path folder, RealFolder("output_path", output.parent_path()));
  EDGEMOE_ASSIGN_OR_FAIL(const fs::path source_folder,
                         RealFolder("source_path", fs::path(request.source_path()).parent_path()));
  bool allowed = folder == source_folder;
  if (!allowed && !models_directory.empty()) {
    std::error_code error;
    const fs::path models = fs::canonical(models_directory, error);
    allowed = !error && IsWithin(folder, models);
  }
  if (!allowed)
    return Failure(Status(
        StatusCode::kPermissionDenied, "output_path",
        FoundAndAccepted(Found(wanted),
                         "the source's folder, " + source_folder.string() +
                             (models_directory.empty()
                                  ? ""
                                  : ", and what is in models.directory, " + models_directory))));
  return (folder / output.filename()).string();
}

Status CheckCalibration(const std::string& path) {
  constexpr const char* kField = "calibration_path";
  if (path.empty()) return OkStatus();
  EDGEMOE_RETURN_IF_ERROR(CheckPath(kField, path));
  std::error_code error;
  const fs::file_status found = fs::status(path, error);
  if (found.type() == fs::file_type::regular) return OkStatus();
  if (error == std::errc::permission_denied)
    return PathError(StatusCode::kPermissionDenied, kField, path, error.message());
  if (!fs::exists(found))
    return PathError(StatusCode::kNotFound, kField, path, "there is no such file");
  return InvalidField(kField, Found(path), "a regular file");
}

Result<PackMethod> MethodOf(const v1::PackRequest& request) {
  switch (request.method()) {
    case v1::PACK_METHOD_UNSPECIFIED:
      return request.target_case() == v1::PackRequest::TARGET_NOT_SET ? PackMethod::kCopy
                                                                      : PackMethod::kSensitivity;
    case v1::PACK_METHOD_COPY: return PackMethod::kCopy;
    case v1::PACK_METHOD_SENSITIVITY: return PackMethod::kSensitivity;
    case v1::PACK_METHOD_UNIFORM: return PackMethod::kUniform;
    case v1::PACK_METHOD_EDGEMOE: return PackMethod::kEdgemoe;
    default: break;
  }
  return Failure(InvalidField("method", ShowValue(static_cast<int>(request.method())),
                              "PACK_METHOD_COPY, PACK_METHOD_SENSITIVITY, "
                              "PACK_METHOD_UNIFORM, PACK_METHOD_EDGEMOE"));
}

Result<PackGranularity> GranularityOf(const v1::PackRequest& request) {
  switch (request.granularity()) {
    case v1::PACK_GRANULARITY_UNSPECIFIED:
    case v1::PACK_GRANULARITY_PER_EXPERT: return PackGranularity::kExpert;
    case v1::PACK_GRANULARITY_PER_ROLE: return PackGranularity::kRole;
    default: break;
  }
  return Failure(InvalidField("granularity", ShowValue(static_cast<int>(request.granularity())),
                              "PACK_GRANULARITY_PER_EXPERT, PACK_GRANULARITY_PER_ROLE"));
}

PackTarget TargetOf(const v1::PackRequest& request) {
  PackTarget target;
  if (request.has_size_bytes()) target.file_bytes = request.size_bytes();
  if (request.has_bits()) target.bits = request.bits();
  if (request.has_max_kl()) target.kl_max = request.max_kl();
  if (request.has_max_ppl_increase()) target.perplexity_increase_max = request.max_ppl_increase();
  return target;
}

v1::PackPhase ToApi(PackProgress::Phase phase) {
  switch (phase) {
    case PackProgress::Phase::kCalibrating: return v1::PACK_PHASE_CALIBRATING;
    case PackProgress::Phase::kMeasuring: return v1::PACK_PHASE_MEASURING;
    case PackProgress::Phase::kProbing: return v1::PACK_PHASE_PROBING;
    case PackProgress::Phase::kTrying: return v1::PACK_PHASE_TRYING;
    case PackProgress::Phase::kCopying: return v1::PACK_PHASE_COPYING;
    case PackProgress::Phase::kVerifying: return v1::PACK_PHASE_VERIFYING;
    case PackProgress::Phase::kFinishing: return v1::PACK_PHASE_FINISHING;
  }
  return v1::PACK_PHASE_UNSPECIFIED;
}

v1::PackMethod ToApi(PackMethod method) {
  switch (method) {
    case PackMethod::kCopy: return v1::PACK_METHOD_COPY;
    case PackMethod::kSensitivity: return v1::PACK_METHOD_SENSITIVITY;
    case PackMethod::kUniform: return v1::PACK_METHOD_UNIFORM;
    case PackMethod::kEdgemoe: return v1::PACK_METHOD_EDGEMOE;
  }
  return v1::PACK_METHOD_UNSPECIFIED;
}

void Fill(const PackQuality& quality, v1::PackQuality& out) {
  out.set_source_perplexity(quality.source_perplexity);
  out.set_perplexity(quality.perplexity);
  out.set_mean_kl(quality.mean_kl);
  out.set_kl_p99(quality.kl_p99);
  out.set_same_top_fraction(quality.same_top_fraction);
  out.set_tokens(quality.tokens);
}

void Fill(const TypeSummary& row, v1::PackRow& out) {
  if (row.layer) out.set_layer(*row.layer);
  out.set_role(row.role);
  out.set_weights(row.weights);
  out.set_bytes(row.bytes);
  out.set_bits(row.bits);
  for (const TypeSummary::TypeCount& count : row.types) {
    v1::PackTypeCount& type = *out.add_types();
    type.set_type(count.type);
    type.set_tensors(count.tensors);
  }
}

}  // namespace

Result<PackOptions> ToPackOptions(const v1::PackRequest& request,
                                  const std::string& models_directory) {
  EDGEMOE_FAIL_IF_ERROR(CheckPath("source_path", request.source_path()));
  PackOptions options;
  options.source_path = request.source_path();
  EDGEMOE_ASSIGN_OR_FAIL(options.output_path, OutputPath(request, models_directory));
  options.overwrite = request.overwrite();
  EDGEMOE_ASSIGN_OR_FAIL(options.method, MethodOf(request));
  options.target = TargetOf(request);
  EDGEMOE_ASSIGN_OR_FAIL(options.granularity, GranularityOf(request));
  EDGEMOE_FAIL_IF_ERROR(CheckCalibration(request.calibration_path()));
  options.calibration_path = request.calibration_path();
  options.plan_only = request.plan_only();
  options.memory_bytes = request.memory_bytes();
  return options;
}

v1::PackProgress ToApi(const PackStep& step) {
  const PackProgress& progress = step.progress;
  v1::PackProgress out;
  out.set_phase(ToApi(progress.phase));
  out.set_phase_number(step.phase_number);
  out.set_phase_count(step.phase_count);
  out.set_done(progress.done);
  out.set_total(progress.total);
  out.set_resumed(progress.resumed);
  if (step.phase_seconds_left) out.set_phase_seconds_left(*step.phase_seconds_left);
  if (progress.planned_file_bytes) out.set_planned_bytes(*progress.planned_file_bytes);
  if (progress.planned_bits) out.set_planned_bits(*progress.planned_bits);
  if (progress.planned_kl) out.set_planned_kl(*progress.planned_kl);
  return out;
}

v1::PackReport ToApi(const PackReport& report) {
  v1::PackReport out;
  out.set_output_path(report.output_path);
  out.set_source_digest(report.source_digest);
  out.set_source_bytes(report.source_bytes);
  out.set_file_bytes(report.file_bytes);
  out.set_weight_bytes(report.weight_bytes);
  out.set_resumed_bytes(report.resumed_bytes);
  out.set_layer_count(report.layer_count);
  out.set_expert_count(report.experts_per_layer);
  out.set_method(ToApi(report.method));
  out.set_plan_only(report.plan_only);
  out.set_source_bits(report.source_bits);
  out.set_bits(report.bits);
  if (report.expected_kl) out.set_expected_kl(*report.expected_kl);
  if (report.quality) Fill(*report.quality, *out.mutable_quality());
  out.set_calibration_tokens(report.calibration_tokens);
  out.set_probe_count(report.probe_count);
  out.set_experts_never_used(report.experts_never_used);
  for (const TypeSummary& row : report.rows) Fill(row, *out.add_rows());
  for (const PackPoint& point : report.curve) {
    v1::PackPoint& at = *out.add_curve();
    at.set_file_bytes(point.file_bytes);
    at.set_bits(point.bits);
    at.set_kl(point.kl);
  }
  out.set_report_path(report.report_path);
  out.set_report_error(report.report_error);
  return out;
}

}  // namespace edgemoe
