// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_request.h"

namespace edgemoe {

const char* PackMethodName(PackMethod method) {
  switch (method) {
    case PackMethod::kCopy: return "copy";
    case PackMethod::kSensitivity: return "sensitivity";
    case PackMethod::kUniform: return "uniform";
    case PackMethod::kEdgemoe: return "edgemoe";
  }
  return "";
}

}  // namespace edgemoe
