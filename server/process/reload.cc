// SPDX-License-Identifier: Apache-2.0
#include "server/process/reload.h"

#include "server/process/config_file.h"

namespace edgemoe {

Reload PlanReload(const Config& running, const Config& wanted) {
  Reload reload{.config = running, .taken = {}, .postponed = {}};
  for (const ConfigKey& key : ConfigKeys()) {
    if (FormatConfigValue(key, running) == FormatConfigValue(key, wanted)) continue;
    if (key.reloads) CopyConfigValue(key, wanted, reload.config);
    std::string& names = key.reloads ? reload.taken : reload.postponed;
    names += (names.empty() ? "" : ", ") + key.path;
  }
  if (FormatModelSettings(running) != FormatModelSettings(wanted))
    reload.postponed += (reload.postponed.empty() ? "" : ", ") + std::string(kModelSettings);
  return reload;
}

}  // namespace edgemoe
