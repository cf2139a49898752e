// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: a value or the Status that says why there is none. The Status inside is never OK.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "engine/base/status.h"

namespace edgemoe {

template <class T>
using Result = tl::expected<T, Status>;

// For `return Failure(InvalidArgumentError(...))` from a function that gives a Result.
inline tl::unexpected<Status> Failure(Status status) {
  return tl::unexpected<Status>(std::move(status));
}

}  // namespace edgemoe

// Returns the error from a function that itself returns Status.
#define EDGEMOE_RETURN_IF_ERROR(expression)                                      \
  do {                                                                           \
    if (::edgemoe::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

// Returns the error from a function that returns Result<T>.
#define EDGEMOE_FAIL_IF_ERROR(expression)                        \
  do {                                                           \
    if (::edgemoe::Status status_ = (expression); !status_.ok()) \
      return ::edgemoe::Failure(std::move(status_));             \
  } while (false)

#define EDGEMOE_CONCAT_INNER(a, b) a##b
#define EDGEMOE_CONCAT(a, b) EDGEMOE_CONCAT_INNER(a, b)

// EDGEMOE_ASSIGN_OR_FAIL(auto x, F()): in a function that returns Result<U>.
#define EDGEMOE_ASSIGN_OR_FAIL(declaration, expression) \
  EDGEMOE_ASSIGN_OR_FAIL_INNER(EDGEMOE_CONCAT(result_, __LINE__), declaration, expression)
#define EDGEMOE_ASSIGN_OR_FAIL_INNER(result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result) return ::edgemoe::Failure(std::move(result).error());  \
  declaration = *std::move(result)

// EDGEMOE_ASSIGN_OR_RETURN(auto x, F()): in a function that returns Status.
#define EDGEMOE_ASSIGN_OR_RETURN(declaration, expression) \
  EDGEMOE_ASSIGN_OR_RETURN_INNER(EDGEMOE_CONCAT(result_, __LINE__), declaration, expression)
#define EDGEMOE_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                           \
  if (!result) return std::move(result).error();                        \
  declaration = *std::move(result)
