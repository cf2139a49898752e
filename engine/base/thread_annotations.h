// SPDX-License-Identifier: Apache-2.0
//
// Clang's thread-safety attributes; nothing under other compilers.
#pragma once

#if defined(__clang__)
#define EDGEMOE_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define EDGEMOE_THREAD_ATTRIBUTE(x)
#endif

// Abseil, which comes with gRPC's headers, has macros of these two names and meanings.
#undef GUARDED_BY
#undef NO_THREAD_SAFETY_ANALYSIS

#define CAPABILITY(x) EDGEMOE_THREAD_ATTRIBUTE(capability(x))
#define SCOPED_CAPABILITY EDGEMOE_THREAD_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(x) EDGEMOE_THREAD_ATTRIBUTE(guarded_by(x))
#define REQUIRES(...) EDGEMOE_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) EDGEMOE_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) EDGEMOE_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) EDGEMOE_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS EDGEMOE_THREAD_ATTRIBUTE(no_thread_safety_analysis)
