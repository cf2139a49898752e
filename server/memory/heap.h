// SPDX-License-Identifier: Apache-2.0
//
// The process's heap, which the memory budget does not cover: kept small, and given back.
#pragma once

namespace edgemoe {

// Large pieces go back to the system when they are freed, and threads share their heaps. Once,
// before there are threads.
void BoundHeap();

// Gives what is free back to the system: some milliseconds. Thread-safe.
void TrimHeap();

}  // namespace edgemoe
