// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cmake/precompiled/rpc.h"
#include "cmake/precompiled/test.h"
