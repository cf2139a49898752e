// SPDX-License-Identifier: Apache-2.0
//
// Which models there are, and which of them a name means, wherever a call names one.
//
// A name means, in this order: the model of that name; the one whose file has it, with or without
// ".gguf"; a file that the catalogue's short name stands for ("qwen3-30b-a3b", also with a quant:
// "qwen3-30b-a3b:Q4_K_M"). The loaded model comes before others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/describe.h"
#include "server/models/catalogue.h"
#include "server/models/foreign_models.h"

namespace edgemoe {

enum class ModelPlace : std::uint8_t {
  kLoaded,     // from a file elsewhere
  kDirectory,  // a file of the models' directory; it may be loaded
  kForeign,    // another program's
};

struct NamedModel {
  std::string name;
  std::string path;
  ModelPlace place = ModelPlace::kDirectory;
  bool is_loaded = false;
};

// `loaded`: may be null. The loaded one first, then those of the directory by path, then others.
// Opens no model. Errors as ListModelPaths.
Result<std::vector<NamedModel>> ListNamedModels(const ModelDescription* loaded,
                                                const std::string& directory,
                                                const ForeignPlaces& places);

// Those that the name means, by the first rule that finds any.
std::vector<NamedModel> FindByName(const std::vector<NamedModel>& models, std::string_view name,
                                   const Catalogue& catalogue);

// The first of those. `field`: what the name stands in. NOT_FOUND names the models that there are.
Result<NamedModel> FindNamedModel(const char* field, const std::vector<NamedModel>& models,
                                  const std::string& name, const Catalogue& catalogue);

}  // namespace edgemoe
