// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EDGEMOE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EDGEMOE_SANITIZED 1
#endif
#endif

namespace edgemoe {

// Whether a sanitizer keeps the heap: its shadow memory, and what was freed and is kept for a
// while, count as resident memory, too.
#ifdef EDGEMOE_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

}  // namespace edgemoe
