// SPDX-License-Identifier: Apache-2.0
#include "server/calls/model_lookup.h"

#include <vector>

#include "engine/base/accepted.h"

namespace edgemoe::calls {

Result<EngineLease> LeaseModel(const std::string& name, const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_FAIL(EngineLease engine, parts.engines.LeaseDefault());
  const std::string& loaded = engine->model().name;
  if (name.empty() || name == loaded) return engine;
  const Result<NamedModel> model = FindModel("model", name, parts);
  if (model && model->is_loaded) return engine;
  return Failure(Status(StatusCode::kNotFound, "model",
                        FoundAndAccepted(ShowValue(name) + (model ? ", which is not loaded" : ""),
                                         ShowValue(loaded) + ", the loaded one, or empty")));
}

Result<std::vector<NamedModel>> ListNamedModels(const ServiceParts& parts) {
  const Result<EngineLease> engine = parts.engines.LeaseDefault();
  return edgemoe::ListNamedModels(engine ? &(*engine)->model() : nullptr, parts.models_directory,
                                  parts.foreign_places);
}

Result<NamedModel> FindModel(const char* field, const std::string& name,
                             const ServiceParts& parts) {
  {  // whose name is good whatever the folders are like
    const Result<EngineLease> engine = parts.engines.LeaseDefault();
    if (engine && (*engine)->model().name == name)
      return NamedModel{.name = name,
                        .path = (*engine)->model().path,
                        .place = ModelPlace::kLoaded,
                        .is_loaded = true};
  }
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<NamedModel> models, ListNamedModels(parts));
  return FindNamedModel(field, models, name, parts.catalogue);
}

}  // namespace edgemoe::calls
