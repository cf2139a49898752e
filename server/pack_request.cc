// SPDX-License-Identifier: Apache-2.0
#include "server/pack_request.h"

#include <filesystem>
#include <system_error>

namespace edgemoe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPathShownMax = 512;

std::string Found(const char* field, const std::string& path) {
  return std::string(field) + ": found '" + path.substr(0, kPathShownMax) + "'";
}

Status CheckPath(const char* field, const std::string& path) {
  if (!path.starts_with('/') || path.find('\0') != std::string::npos)
    return InvalidArgumentError(Found(field, path) + "; expected an absolute path");
  return OkStatus();
}

// A folder as it really is, without links and dots.
Result<fs::path> RealFolder(const char* field, const fs::path& folder) {
  std::error_code error;
  fs::path real = fs::canonical(folder, error);
  if (!error) return real;
  const std::string message = Found(field, folder.string()) + ": " + error.message();
  return Failure(error == std::errc::permission_denied ? PermissionDeniedError(message)
                                                       : NotFoundError(message));
}

bool IsWithin(const fs::path& folder, const fs::path& parent) {
  const fs::path relative = folder.lexically_relative(parent);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

Result<PackOptions> ToPackOptions(const v1::PackRequest& request,
                                  const std::string& models_directory) {
  EDGEMOE_FAIL_IF_ERROR(CheckPath("source_path", request.source_path()));
  const std::string wanted = request.output_path().empty() ? DefaultPackPath(request.source_path())
                                                           : request.output_path();
  EDGEMOE_FAIL_IF_ERROR(CheckPath("output_path", wanted));
  const fs::path output(wanted);
  if (output.extension() != ".gguf")
    return Failure(InvalidArgumentError(Found("output_path", wanted) +
                                        "; expected a file name that ends in .gguf"));
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
    return Failure(PermissionDeniedError(
        Found("output_path", wanted) + "; accepted are the source's folder, " +
        source_folder.string() +
        (models_directory.empty() ? ""
                                  : ", and what is in models.directory, " + models_directory)));
  return PackOptions{.source_path = request.source_path(),
                     .output_path = (folder / output.filename()).string(),
                     .overwrite = request.overwrite()};
}

v1::PackResponse ToApi(const PackProgress& progress, std::optional<double> seconds_left) {
  v1::PackResponse response;
  v1::PackProgress& out = *response.mutable_progress();
  out.set_phase(progress.phase == PackProgress::Phase::kCopying ? v1::COPYING : v1::FINISHING);
  out.set_bytes_done(progress.bytes_done);
  out.set_bytes_total(progress.bytes_total);
  out.set_bytes_resumed(progress.bytes_resumed);
  if (seconds_left) out.set_seconds_left(*seconds_left);
  return response;
}

v1::PackResponse ToApi(const PackReport& report) {
  v1::PackResponse response;
  v1::PackReport& out = *response.mutable_report();
  out.set_output_path(report.output_path);
  out.set_source_digest(report.source_digest);
  out.set_source_bytes(report.source_bytes);
  out.set_file_bytes(report.file_bytes);
  out.set_weight_bytes(report.weight_bytes);
  out.set_resumed_bytes(report.resumed_bytes);
  out.set_layer_count(report.layer_count);
  out.set_expert_count(report.experts_per_layer);
  return response;
}

}  // namespace edgemoe
