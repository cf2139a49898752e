// SPDX-License-Identifier: Apache-2.0
//
// The list of architectures. A new one is a line here, a line in architecture.cc and its own file.
#pragma once

#include "engine/model/arch/common.h"

namespace edgemoe::arch {

extern const Architecture kDeepSeek2;
extern const Architecture kGemma3;
extern const Architecture kGemma4;
extern const Architecture kGptOss;
extern const Architecture kGranite;
extern const Architecture kGraniteHybrid;
extern const Architecture kGraniteMoe;
extern const Architecture kLfm2;
extern const Architecture kLfm2Moe;
extern const Architecture kLlama;
extern const Architecture kMiniCpm;
extern const Architecture kOlmoe;
extern const Architecture kQwen2Moe;
extern const Architecture kQwen3;
extern const Architecture kQwen35;
extern const Architecture kQwen35Moe;
extern const Architecture kQwen3Moe;
extern const Architecture kQwen3Next;

}  // namespace edgemoe::arch
