// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/template/render_options.h"
#include "engine/template/syntax/syntax.h"

namespace edgemoe::jinja {

constexpr std::uint32_t kEvaluationDepthMax = 250;  // nested statements, expressions and macros

// What `body` writes for `context`, a JSON object of at most kJsonDepthMax levels. INVALID_ARGUMENT
// names line and column, or is what raise_exception() says.
Result<std::string> Evaluate(const Body& body, const Json& context, const RenderOptions& options);

}  // namespace edgemoe::jinja
