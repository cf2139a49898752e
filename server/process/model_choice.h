// SPDX-License-Identifier: Apache-2.0
//
// Which file model.path means: a path, or a name of what is on this machine.
#pragma once

#include <string>

#include "engine/base/log.h"
#include "engine/base/result.h"
#include "server/models/catalogue.h"
#include "server/models/foreign_models.h"
#include "server/process/config.h"

namespace edgemoe {

// Where models are, as configured.
struct ModelPlaces {
  std::string directory;  // empty: there is none; see ModelsDirectory
  Catalogue catalogue;
  ForeignPlaces foreign;
};
// A catalogue that is wrong is none, and is named in the log.
ModelPlaces FindModelPlaces(const Config& config, const LogSink& log);

// The configuration with the path of its model, if it names one. A text with "/", or of a file that
// is there, is a path; another is a name, as calls name models (server/models/model_names.h), or
// else a path if it ends in ".gguf". NOT_FOUND is of the field "model.path" and names the models
// that there are.
Result<Config> WithModelPath(Config config, const ModelPlaces& places);

// Why a daemon serves without a model: none is named, or its name means nothing here yet, which
// `not_found` says. FAILED_PRECONDITION with the reason kNoModel, for people and programs.
Status NoModel(const Status& not_found = OkStatus());

}  // namespace edgemoe
