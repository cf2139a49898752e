// SPDX-License-Identifier: Apache-2.0
//
// packaging/image: what a root becomes, and that its checker sees damage. Whether an image runs is
// the job `./dev image`'s to try.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

const std::string kRoom = EDGEMOE_SOURCE_DIR "/packaging/image";

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ImageArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    namespace fs = std::filesystem;
    const fs::path root = folder_ / "root";
    for (const char* name : {"usr/bin", "etc/apt", "var/cache/apt", "dev"})
      fs::create_directories(root / name);
    std::ofstream(root / "usr/bin/edgemoed") << "a program";
    std::ofstream(root / "etc/apt/sources.list") << "where packages come from";
    fs::create_symlink("usr/bin", root / "bin");
    Run({"/usr/bin/env", "tar", "--create", "--file", folder_ / "root.tar", "--directory",
         root.string(), "."});
  }

  // Its output; with a failure where it does not give `code`.
  std::string Run(const std::vector<std::string>& command, int code = 0) {
    ChildProcess process(command,
                         {.input = {}, .environment = {{"SOURCE_DATE_EPOCH", "1700000000"}}});
    EXPECT_EQ(process.Wait(), code) << process.output() << process.errors();
    return process.output() + process.errors();
  }

  std::string Write(const std::string& name) {
    const std::string path = folder_ / name;
    Run({"/usr/bin/env", "python3", kRoom + "/oci_archive.py", "--root", folder_ / "root.tar",
         "--architecture", "arm64", "--version", "0.1.0-1~deb13", "--commit", "0123", "--output",
         path});
    return path;
  }

  TempFolder folder_;
};

TEST_F(ImageArchiveTest, TheSameRootGivesTheSameBytes) {
  const std::string first = ReadText(Write("first.tar"));
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, ReadText(Write("second.tar")));
}

TEST_F(ImageArchiveTest, ItsBlobsAreWhatItSaysAndDamageIsSeen) {
  const std::string path = Write("image.tar");
  const std::vector<std::string> check = {"/usr/bin/env", "python3", kRoom + "/check_image.py",
                                          path};
  EXPECT_THAT(Run(check), HasSubstr("digests and sizes: as the blobs are"));
  std::string bytes = ReadText(path);
  const std::size_t user = bytes.find("\"User\":\"65532:65532\"");
  ASSERT_NE(user, std::string::npos);
  bytes[user + 8] = '0';
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_THAT(Run(check, 1), HasSubstr("digest: sha256:"));
}

TEST_F(ImageArchiveTest, WhatOnlyPackagingNeedsStaysOut) {
  const std::string path = Write("image.tar");
  const std::string layout = folder_ / "layout";
  std::filesystem::create_directory(layout);
  Run({"/usr/bin/env", "tar", "--extract", "--file", path, "--directory", layout});
  std::string names;
  for (const auto& blob : std::filesystem::directory_iterator(layout + "/blobs/sha256")) {
    if (ReadText(blob.path()).starts_with('{')) continue;  // not the layer
    names = Run({"/usr/bin/env", "tar", "--list", "--gzip", "--file", blob.path()});
  }
  EXPECT_EQ(names, "bin\netc/\nusr/\nusr/bin/\nusr/bin/edgemoed\nvar/\nrun/edgemoe/\n");
}

}  // namespace
}  // namespace edgemoe
