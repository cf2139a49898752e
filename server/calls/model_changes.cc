// SPDX-License-Identifier: Apache-2.0
#include "server/calls/model_changes.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/system/usable_memory.h"
#include "server/calls/translate/descriptions.h"
#include "server/calls/translate/pull_messages.h"
#include "server/models/model_directory.h"
#include "server/models/model_files.h"

namespace edgemoe::calls {
namespace {

bool AreSame(const std::string& one, const std::string& other) {
  std::error_code ignored;
  return std::filesystem::equivalent(one, other, ignored);
}

// The file of the models' directory that has this name.
Result<ModelFile> FindFile(const std::string& name, const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<ModelFile> files,
                         ListModelFiles(parts.models_directory, parts.options_of));
  std::string names;
  for (ModelFile& file : files) {
    if (file.name == name) return std::move(file);
    names += (names.empty() ? "" : ", ") + ShowValue(file.name);
  }
  const Result<EngineLease> engine = parts.engines.LeaseDefault();
  if (engine && (*engine)->model().name == name)
    return Failure(FailedPreconditionError("name: " + ShowValue(name) + " is loaded from " +
                                           (*engine)->model().path +
                                           ", which is not in models.directory"));
  return Failure(Status(
      StatusCode::kNotFound, "name",
      FoundAndAccepted(
          ShowValue(name),
          names.empty() ? "none, as there are no models in " + parts.models_directory : names)));
}

// FAILED_PRECONDITION: somebody reads or writes one of these files.
Status CheckUnused(const std::vector<std::string>& files, const ServiceParts& parts) {
  const Result<EngineLease> engine = parts.engines.LeaseDefault();
  const std::optional<RunningPack> pack = parts.packs.running();
  for (const std::string& file : files) {
    if (engine && AreSame(file, (*engine)->model().path))
      return FailedPreconditionError(file + ": is loaded, and cannot be removed")
          .WithReason(Reason::kBusy);
    if (pack && (AreSame(file, pack->source_path) || AreSame(file, pack->output_path)))
      return FailedPreconditionError(file + ": a pack job works with it").WithReason(Reason::kBusy);
  }
  return OkStatus();
}

Status StartPull(const v1::PullRequest& request, const std::shared_ptr<PullStream>& stream,
                 const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_RETURN(PullRequest wanted, ToPullRequest(request, parts.models_directory));
  wanted.model = parts.catalogue.ReferenceOf(wanted.model, UsableMemoryBytes());
  return parts.pulls.Join(std::move(wanted), stream);
}

}  // namespace

void Pull(const v1::PullRequest& request, const std::shared_ptr<PullStream>& stream,
          const ServiceParts& parts, const Caller&) {
  if (const Status status = StartPull(request, stream, parts); !status.ok())
    return stream->Refuse(status);
  stream->Open();
}

Status CancelPull(const v1::CancelPullRequest&, v1::CancelPullResponse&, const ServiceParts& parts,
                  const Caller&) {
  return parts.pulls.Cancel() ? OkStatus() : NotFoundError("no download runs");
}

Status AddModel(const v1::AddModelRequest& request, v1::AddModelResponse& response,
                const ServiceParts& parts, const Caller&) {
  EDGEMOE_RETURN_IF_ERROR(CheckModelsDirectory(parts.models_directory));
  EDGEMOE_ASSIGN_OR_RETURN(const std::string link,
                           LinkModel(request.path(), parts.models_directory));
  const Result<ModelDescription> description = DescribeModel(parts.options_of(link));
  if (!description) {  // what is no model is not listed as one
    (void)RemoveFiles(FilesOfModel(link));
    return description.error().InField("path");
  }
  *response.mutable_model() = ToApi(*description, v1::MODEL_STATE_AVAILABLE);
  return OkStatus();
}

Status RemoveModel(const v1::RemoveModelRequest& request, v1::RemoveModelResponse& response,
                   const ServiceParts& parts, const Caller&) {
  EDGEMOE_RETURN_IF_ERROR(CheckModelsDirectory(parts.models_directory));
  EDGEMOE_ASSIGN_OR_RETURN(const ModelFile file, FindFile(request.name(), parts));
  const std::vector<std::string> files = FilesOfModel(file.path);
  EDGEMOE_RETURN_IF_ERROR(CheckUnused(files, parts));
  EDGEMOE_ASSIGN_OR_RETURN(const RemovedFiles removed, RemoveFiles(files));
  for (const std::string& path : removed.paths) response.add_paths(path);
  response.set_bytes(removed.bytes);
  if (parts.log)
    parts.log(LogLevel::kInfo,
              "removed " + file.path + ", " + std::to_string(removed.paths.size()) + " file(s)");
  return OkStatus();
}

}  // namespace edgemoe::calls
