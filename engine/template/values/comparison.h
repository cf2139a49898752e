// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/result.h"
#include "engine/template/values/value.h"

namespace edgemoe::jinja {

// As Python's ==: 1, 1.0 and true are equal, keys have no order, a tuple equals no list.
bool AreEqual(const Value& a, const Value& b);
// Numbers with numbers, texts with texts, lists with lists; INVALID_ARGUMENT for anything else.
// -1, 0 or 1.
Result<int> Compare(const Value& a, const Value& b);

}  // namespace edgemoe::jinja
