// SPDX-License-Identifier: Apache-2.0
#include "server/models/model_names.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/model_name.h"
#include "server/models/model_directory.h"

namespace edgemoe {
namespace {

std::string FileName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

}  // namespace

Result<std::vector<NamedModel>> ListNamedModels(const ModelDescription* loaded,
                                                const std::string& directory,
                                                const ForeignPlaces& places) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<std::string> paths, ListModelPaths(directory));
  std::vector<NamedModel> models;
  if (loaded != nullptr)
    models.push_back({.name = loaded->name,
                      .path = loaded->path,
                      .place = ModelPlace::kLoaded,
                      .is_loaded = true});
  const auto add = [&](std::string name, const std::string& path, ModelPlace place) {
    std::error_code ignored;
    const bool is_loaded =
        loaded != nullptr && std::filesystem::equivalent(path, loaded->path, ignored);
    models.push_back(
        {.name = std::move(name), .path = path, .place = place, .is_loaded = is_loaded});
  };
  for (const std::string& path : paths) add(ModelNameFromPath(path), path, ModelPlace::kDirectory);
  for (const ForeignModel& foreign : FindForeignModels(places))
    add(foreign.name, foreign.path, ModelPlace::kForeign);
  return models;
}

std::vector<NamedModel> FindByName(const std::vector<NamedModel>& models, std::string_view name,
                                   const Catalogue& catalogue) {
  std::vector<NamedModel> found;
  const auto take = [&](auto is_meant) {
    if (found.empty()) std::ranges::copy_if(models, std::back_inserter(found), is_meant);
  };
  take([&](const NamedModel& model) { return model.name == name; });
  take([&](const NamedModel& model) {
    const std::string file = FileName(model.path);
    return file == name || file == std::string(name) + ".gguf";
  });
  take([&](const NamedModel& model) { return catalogue.Means(name, FileName(model.path)); });
  std::stable_partition(found.begin(), found.end(),
                        [](const NamedModel& model) { return model.is_loaded; });
  return found;
}

Result<NamedModel> FindNamedModel(const char* field, const std::vector<NamedModel>& models,
                                  const std::string& name, const Catalogue& catalogue) {
  std::vector<NamedModel> found = FindByName(models, name, catalogue);
  if (!found.empty()) return std::move(found.front());
  if (catalogue.Has(name))
    return Failure(
        Status(StatusCode::kNotFound, field,
               ShowValue(name) + " is not here yet: `edgemoe pull " + name + "` gets it"));
  std::string names;
  for (const NamedModel& model : models)
    names += (names.empty() ? "" : ", ") + ShowValue(model.name);
  return Failure(Status(
      StatusCode::kNotFound, field,
      FoundAndAccepted(ShowValue(name), names.empty() ? "none, as there are no models" : names)));
}

}  // namespace edgemoe
