// SPDX-License-Identifier: Apache-2.0
#include "server/process/model_choice.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "server/models/model_names.h"
#include "server/process/engine_options.h"

namespace edgemoe {
namespace {

const char* GetVariable(const char* name) { return std::getenv(name); }

// Without one, short names are no names; a file that is wrong is named in the log.
Catalogue ReadCatalogue(const Config& config, const LogSink& log) {
  std::string path = config.models.catalogue;
  std::error_code error;
  if (path.empty()) {
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    path = (self.parent_path().parent_path() / "share/edgemoe/models.json").string();
    if (!std::filesystem::exists(path, error)) return {};
  }
  Result<Catalogue> catalogue = Catalogue::Read(path);
  if (catalogue) return *std::move(catalogue);
  if (log) log(LogLevel::kError, "models.catalogue: " + catalogue.error().message());
  return {};
}

}  // namespace

ModelPlaces FindModelPlaces(const Config& config, const LogSink& log) {
  std::string directory = ModelsDirectory(config, std::getenv("STATE_DIRECTORY"));
  std::error_code error;
  // The default one comes with the first model that is added.
  if (config.models.directory.empty() && !std::filesystem::is_directory(directory, error))
    directory.clear();
  return {.directory = std::move(directory),
          .catalogue = ReadCatalogue(config, log),
          .foreign = config.models.others == "on" ? ForeignPlaces::FromEnvironment(GetVariable)
                                                  : ForeignPlaces()};
}

Result<Config> WithModelPath(Config config, const ModelPlaces& places) {
  std::string& model = config.engine.model_path;
  std::error_code error;
  if (model.empty() || model.find('/') != std::string::npos ||
      std::filesystem::exists(model, error))
    return config;
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<NamedModel> models,
                         ListNamedModels(nullptr, places.directory, places.foreign));
  Result<NamedModel> found = FindNamedModel("model.path", models, model, places.catalogue);
  if (found)
    model = std::move(found->path);
  else if (!model.ends_with(".gguf"))  // else the engine says that there is no such file
    return Failure(found.error());
  return config;
}

Status NoModel(const Status& not_found) {
  const std::string why = not_found.ok() ? "model.path is not set" : not_found.message();
  return FailedPreconditionError("there is no model to be used: " + why)
      .WithReason(Reason::kNoModel);
}

}  // namespace edgemoe
