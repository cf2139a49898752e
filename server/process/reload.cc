// SPDX-License-Identifier: Apache-2.0
#include "server/process/reload.h"

#include "server/process/config_file.h"

namespace edgemoe {
namespace {

void Add(std::string& names, std::string_view name) {
  names += (names.empty() ? "" : ", ") + std::string(name);
}

}  // namespace

Reload PlanReload(const Config& running, const Config& wanted, bool has_model) {
  Reload reload{.config = running, .taken = {}, .postponed = {}};
  for (const ConfigKey& key : ConfigKeys()) {
    if (FormatConfigValue(key, running) == FormatConfigValue(key, wanted)) continue;
    const bool is_taken = key.taken_over == TakenOver::kLive ||
                          (key.taken_over == TakenOver::kWithModel && !has_model);
    if (is_taken) CopyConfigValue(key, wanted, reload.config);
    Add(is_taken ? reload.taken : reload.postponed, key.path);
  }
  if (FormatModelSettings(running) != FormatModelSettings(wanted)) {
    if (!has_model) reload.config.model_settings = wanted.model_settings;
    Add(has_model ? reload.postponed : reload.taken, kModelSettings);
  }
  return reload;
}

}  // namespace edgemoe
