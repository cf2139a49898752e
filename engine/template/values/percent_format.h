// SPDX-License-Identifier: Apache-2.0
//
// Python's "%" on texts: printf's conversions.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/template/values/value.h"

namespace edgemoe::jinja {

// `format` % `given`: a tuple's items in their order, a dictionary's values by the names in
// brackets, or one value. Conversions: d i u o x X e E f F g G c s r a and %%, with flags, width
// and precision. INVALID_ARGUMENT for what Python refuses, and for "#" with e, f and g. A safe
// format escapes what goes into it.
Result<Value> FormatWith(const Value& format, const Value& given, Budget& budget);

}  // namespace edgemoe::jinja
