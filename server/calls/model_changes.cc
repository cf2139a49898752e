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
#include "engine/pack.h"
#include "server/calls/model_lookup.h"
#include "server/calls/models.h"
#include "server/calls/translate/descriptions.h"
#include "server/calls/translate/pull_messages.h"
#include "server/models/model_files.h"

namespace edgemoe::calls {
namespace {

bool AreSame(const std::string& one, const std::string& other) {
  std::error_code ignored;
  return std::filesystem::equivalent(one, other, ignored);
}

// The file of the models' directory that this name means, and no other one.
Result<NamedModel> FindFile(const std::string& name, const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<NamedModel> models, ListNamedModels(parts));
  const std::vector<NamedModel> found = FindByName(models, name, parts.catalogue);
  std::vector<NamedModel> ours = found;
  std::erase_if(ours, [](const auto& model) { return model.place != ModelPlace::kDirectory; });
  if (ours.size() == 1) return std::move(ours.front());
  if (ours.empty() && !found.empty())
    return Failure(FailedPreconditionError(
        "name: " + ShowValue(name) + " is " + found.front().path + ", which is not in " +
        "models.directory" + (found.front().is_loaded ? ", and is loaded" : "")));
  if (ours.empty()) {
    ours = std::move(models);
    std::erase_if(ours, [](const auto& model) { return model.place != ModelPlace::kDirectory; });
  }
  std::string names;
  for (const NamedModel& model : ours) names += (names.empty() ? "" : ", ") + ShowValue(model.name);
  if (!found.empty()) return Failure(InvalidField("name", ShowValue(name), "one of " + names));
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

// The pack that a pull asks for; null where it asks for none. What is wrong with it whatever the
// model is said before anything is downloaded.
Result<PackOnArrival> PackAfter(const v1::PullRequest& request, const ServiceParts& parts) {
  if (!request.has_pack()) return PackOnArrival();
  for (const auto& [field, path] : {std::pair{"pack.source_path", request.pack().source_path()},
                                    std::pair{"pack.output_path", request.pack().output_path()}})
    if (!path.empty())
      return Failure(
          InvalidField(field, ShowValue(path), "none: the pack stands beside the model"));
  // The runner is stopped before the parts go.
  PackOnArrival pack = [wanted = request.pack(), &parts](const std::string& source_path) {
    v1::PackRequest of_model = wanted;
    of_model.set_source_path(source_path);
    return PackJobOf(of_model, parts);
  };
  const Result<PackOptions> options = pack(parts.models_directory + "/model.gguf");
  const Status status = options ? CheckPackOptions(*options) : options.error();
  if (!status.ok()) return Failure(status.field().empty() ? status : status.InField("pack"));
  return pack;
}

Status StartPull(const v1::PullRequest& request, const std::shared_ptr<PullStream>& stream,
                 const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_RETURN(PullRequest wanted, ToPullRequest(request, parts.models_directory));
  wanted.model = parts.catalogue.ReferenceOf(wanted.model, UsableMemoryBytes());
  for (ForeignFile& file : FindForeignFiles(parts.foreign_places))
    wanted.held_files.push_back(
        {.path = std::move(file.path), .bytes = file.bytes, .sha256 = std::move(file.sha256)});
  EDGEMOE_ASSIGN_OR_RETURN(PackOnArrival pack, PackAfter(request, parts));
  return parts.pulls.Join(std::move(wanted), std::move(pack), stream);
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
  EDGEMOE_ASSIGN_OR_RETURN(const NamedModel file, FindFile(request.name(), parts));
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
