// SPDX-License-Identifier: Apache-2.0
//
// The models that calls name: see server/models/model_names.h.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "server/calls/service_parts.h"
#include "server/models/engine_slot.h"
#include "server/models/model_names.h"

namespace edgemoe::calls {

// The engine that runs the model of this name; an empty name means the only one. UNAVAILABLE while
// it loads; NOT_FOUND names the model that there is.
Result<EngineLease> LeaseModel(const std::string& name, const ServiceParts& parts);

// Every model that there is.
Result<std::vector<NamedModel>> ListNamedModels(const ServiceParts& parts);

// The model of this name, of several the first. `field`: what the request calls the name.
// NOT_FOUND names the models that there are.
Result<NamedModel> FindModel(const char* field, const std::string& name, const ServiceParts& parts);

}  // namespace edgemoe::calls
