// SPDX-License-Identifier: Apache-2.0
//
// The scripted hub of faulty_hub.py, as a process.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/child_process.h"

namespace edgemoe {

inline void WriteFile(const std::string& path, std::string_view bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Sorted; the lock is left out.
inline std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename() != ".edgemoe-download.lock")
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

class FaultyHub {
 public:
  FaultyHub() {
    process_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        "/usr/bin/env", "python3", EDGEMOE_SOURCE_DIR "/tests/download/faulty_hub.py",
        folder_.path()});
    EXPECT_TRUE(process_->WaitForOutput("\n")) << process_->errors();
    port_ = process_->output();
    port_ = port_.substr(0, port_.find('\n'));
  }

  std::string origin() const { return "http://127.0.0.1:" + port_; }
  const std::string& port() const { return port_; }

  void Add(const std::string& repository, const std::string& path, std::string_view bytes) {
    WriteFile(folder_ / (repository + "/" + path), bytes);
  }
  // As faulty_hub.py says.
  void Script(const std::string& repository, const nlohmann::json& script) {
    WriteFile(folder_ / (repository + "/script.json"), script.dump());
  }
  // The requests whose paths contain `part`.
  std::vector<nlohmann::json> Log(std::string_view part) const {
    std::vector<nlohmann::json> lines;
    std::ifstream file(folder_ / "log");
    for (std::string line; std::getline(file, line);) {
      nlohmann::json request = nlohmann::json::parse(line);
      if (request["path"].get<std::string>().find(part) != std::string::npos)
        lines.push_back(std::move(request));
    }
    return lines;
  }
  std::string errors() { return process_->errors(); }

 private:
  TempFolder folder_;
  std::unique_ptr<ChildProcess> process_;
  std::string port_;
};

}  // namespace edgemoe
