// SPDX-License-Identifier: Apache-2.0
// For targets that are compiled with the engine's flags.
#pragma once

#include "cmake/precompiled/std.h"
