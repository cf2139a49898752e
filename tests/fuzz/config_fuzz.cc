// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a configuration file: they are taken, or refused with words, and what is taken is
// printed and read back as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "server/process/config_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace edgemoe;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  Config config;
  const Status status = ApplyConfigText(text, "fuzz.json", config);
  if (!status.ok()) {
    EDGEMOE_CHECK(status.message().starts_with("fuzz.json:"), "an error says where it is");
    static const std::string defaults = FormatConfig(Config());
    EDGEMOE_CHECK(FormatConfig(config) == defaults, "an error changes nothing");
    return 0;
  }
  Config again;
  EDGEMOE_CHECK(ApplyConfigText(FormatConfig(config), "again.json", again).ok(),
                "what is printed can be read");
  EDGEMOE_CHECK(FormatConfig(again) == FormatConfig(config), "and says the same");
  return 0;
}
