// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/aligned_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/base/system/page_size.h"

namespace edgemoe {
namespace {

TEST(AlignTest, RoundsUpAndDown) {
  EXPECT_EQ(AlignUp(0, 4096), 0u);
  EXPECT_EQ(AlignUp(1, 4096), 4096u);
  EXPECT_EQ(AlignUp(4096, 4096), 4096u);
  EXPECT_EQ(AlignDown(4095, 4096), 0u);
  EXPECT_EQ(AlignDown(8191, 4096), 4096u);
}

TEST(AlignedBufferTest, IsZeroedPageAlignedAndWholePages) {
  Result<AlignedBuffer> buffer = AlignedBuffer::Allocate(PageBytes() + 1);
  ASSERT_TRUE(buffer.has_value());
  EXPECT_EQ(buffer->bytes(), 2 * PageBytes());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer->data()) % PageBytes(), 0u);
  EXPECT_TRUE(std::all_of(buffer->span().begin(), buffer->span().end(),
                          [](std::byte byte) { return byte == std::byte{0}; }));
  buffer->span().back() = std::byte{1};
}

TEST(AlignedBufferTest, ZeroBytesIsEmpty) {
  const Result<AlignedBuffer> buffer = AlignedBuffer::Allocate(0);
  ASSERT_TRUE(buffer.has_value());
  EXPECT_EQ(buffer->data(), nullptr);
  EXPECT_EQ(buffer->bytes(), 0u);
}

TEST(AlignedBufferTest, RefusesWhatCannotBe) {
  for (const std::size_t bytes :
       {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() / 2}) {
    const Result<AlignedBuffer> buffer = AlignedBuffer::Allocate(bytes);
    ASSERT_FALSE(buffer.has_value());
    EXPECT_EQ(buffer.error().code(), StatusCode::kResourceExhausted);
  }
}

TEST(AlignedBufferTest, MovesLeaveTheSourceEmpty) {
  AlignedBuffer first = *AlignedBuffer::Allocate(4096);
  std::byte* const data = first.data();
  AlignedBuffer second = std::move(first);
  EXPECT_EQ(first.data(), nullptr);
  EXPECT_EQ(second.data(), data);
  AlignedBuffer third = *AlignedBuffer::Allocate(4096);
  third = std::move(second);
  EXPECT_EQ(third.data(), data);
  EXPECT_EQ(second.bytes(), 0u);
}

TEST(AlignedBufferTest, LockingAnEmptyBufferSucceeds) {
  AlignedBuffer empty;
  EXPECT_TRUE(empty.TryLock());
}

}  // namespace
}  // namespace edgemoe
