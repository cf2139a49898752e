// SPDX-License-Identifier: Apache-2.0
#include "bench/commands.h"
#include "bench/decode_report.h"

namespace edgemoe::bench {

Result<Report> Run(const DecodeCommand& command, const Settings& settings) {
  EDGEMOE_ASSIGN_OR_FAIL(const DecodeMeasurement measurement, MeasureDecode(command.run));
  Report report{DecodeText(command.run, measurement), NewJson("decode", settings)};
  EDGEMOE_FAIL_IF_ERROR(AddDecodeJson(command.run, measurement, report.json));
  return report;
}

}  // namespace edgemoe::bench
