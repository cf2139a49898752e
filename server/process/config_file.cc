// SPDX-License-Identifier: Apache-2.0
#include "server/process/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {
namespace {

using Json = nlohmann::json;

// Hands characters to the parser and counts the lines handed out; copies share one count. A newline
// belongs to the line that it ends, so that the parser's one character of look-ahead after a number
// does not move the number to the next line.
class LineCountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineCountingIterator(const char* at, std::size_t* newline_count, bool* at_line_start)
      : at_(at), newline_count_(newline_count), at_line_start_(at_line_start) {}

  reference operator*() const { return *at_; }
  LineCountingIterator& operator++() {
    if (*at_line_start_) ++*newline_count_;
    *at_line_start_ = *at_ == '\n';
    ++at_;
    return *this;
  }
  LineCountingIterator operator++(int) {
    LineCountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const LineCountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  std::size_t* newline_count_;
  bool* at_line_start_;
};

// Collects values by key path and judges them at once, while the line is known.
class ConfigReader {
 public:
  ConfigReader(std::string_view file_name, const std::size_t* newline_count, Config& config)
      : file_name_(file_name), newline_count_(newline_count), config_(config) {}

  // nlohmann's SAX interface.
  bool null() { return Value(OtherValue{"null"}); }
  bool boolean(bool value) { return Value(OtherValue{value ? "true" : "false"}); }
  bool number_integer(Json::number_integer_t value) { return Value(static_cast<double>(value)); }
  bool number_unsigned(Json::number_unsigned_t value) { return Value(std::uint64_t{value}); }
  bool number_float(Json::number_float_t value, const std::string&) { return Value(value); }
  bool string(std::string& value) { return Value(std::move(value)); }
  bool binary(Json::binary_t&) { return Value(OtherValue{"binary data"}); }
  bool start_object(std::size_t) {
    if (array_depth_ > 0 || skip_depth_ > 0) return Nested("an object");
    if (OpensSections() || in_sections()) return OpenSection();
    if (depth_ == base_ + 1 && !IsGroup(key_)) {
      if (FindKey(key_) != nullptr) {
        Value(OtherValue{"an object"});
      } else {
        Unknown(Path());
      }
      skip_depth_ = 1;
      return true;
    }
    if (depth_ == base_ + 1) {
      CheckDuplicate(Path());
      group_ = key_;
    }
    if (depth_ == base_ + 2) {
      Value(OtherValue{"an object"});
      skip_depth_ = 1;
      return true;
    }
    ++depth_;
    return true;
  }
  bool key(std::string& name) {
    if (skip_depth_ == 0) key_ = std::move(name);
    return true;
  }
  bool end_object() {
    if (skip_depth_ > 0) {
      --skip_depth_;
      return true;
    }
    if (array_depth_ > 0) return true;
    --depth_;
    if (depth_ < base_) {
      base_ = 0;
    } else if (base_ > 0 && depth_ == base_) {
      model_ = nullptr;
    }
    return true;
  }
  bool start_array(std::size_t) {
    if (skip_depth_ > 0 || array_depth_ > 0) return Nested("a list");
    array_depth_ = 1;
    list_.clear();
    list_is_names_ = true;
    return true;
  }
  bool end_array() {
    if (skip_depth_ > 0) {
      --skip_depth_;
      return true;
    }
    array_depth_ = 0;
    if (list_is_names_) return Value(std::move(list_));
    return Value(OtherValue{"a list with other than texts"});
  }
  bool parse_error(std::size_t, const std::string& last_token, const Json::exception& error) {
    // "[json.exception...] parse error at line 3, column 5: syntax error while ...": ours already
    // says where.
    std::string_view detail = error.what();
    if (const auto colon = detail.find(": "); colon != std::string_view::npos)
      detail.remove_prefix(colon + 2);
    Error("not JSON: " + std::string(detail.substr(0, 200)) +
          (last_token.empty() ? "" : " near '" + last_token.substr(0, 40) + "'"));
    return false;
  }

  Status TakeStatus() {
    if (error_count_ == 0) return OkStatus();
    if (error_count_ > kConfigErrorsMax)
      errors_ += "\nand " + std::to_string(error_count_ - kConfigErrorsMax) + " more";
    return InvalidArgumentError(std::move(errors_));
  }

 private:
  bool OpensSections() const { return depth_ == 1 && key_ == kModelSettings; }
  // In the object that holds the models' sections, and in none of them.
  bool in_sections() const { return base_ > 0 && model_ == nullptr; }

  // The object that holds them, or one of them.
  bool OpenSection() {
    CheckDuplicate(Path());
    if (base_ == 0) {
      base_ = 2;
    } else if (config_.model_settings.size() == kModelSectionsMax) {
      Error(std::string(kModelSettings) + ": found one more section; " + "accepted: at most " +
            std::to_string(kModelSectionsMax));
      skip_depth_ = 1;
      return true;
    } else {
      model_name_ = key_;
      model_ = &config_.model_settings[key_];
    }
    ++depth_;
    return true;
  }

  // Whether the key may stand here.
  bool Stands(const ConfigKey& key) const { return base_ == 0 || key.of_model; }
  const ConfigKey* FindKey(std::string_view path) const {
    const ConfigKey* const key = FindConfigKey(path);
    return key != nullptr && Stands(*key) ? key : nullptr;
  }

  bool IsGroup(std::string_view name) const {
    if (base_ == 0 && name == kModelSettings) return true;
    for (const ConfigKey& key : ConfigKeys()) {
      if (!Stands(key)) continue;
      const std::string_view path = key.path;
      if (path.size() > name.size() && path.substr(0, name.size()) == name &&
          path[name.size()] == '.')
        return true;
    }
    return false;
  }

  // An object or list inside a list, or inside what is skipped: counted, so that its end is known.
  bool Nested(const char* what) {
    if (skip_depth_ == 0) Error(Path() + ": found " + what + " inside a list");
    ++skip_depth_;
    list_is_names_ = false;
    return true;
  }

  // Of the table.
  std::string KeyPath() const { return depth_ == base_ + 2 ? group_ + "." + key_ : key_; }
  // In the file.
  std::string Path() const {
    if (base_ == 0) return KeyPath();
    const std::string sections = std::string(kModelSettings) + ".";
    return model_ == nullptr ? sections + key_ : sections + model_name_ + "." + KeyPath();
  }

  void CheckDuplicate(const std::string& path) {
    if (!seen_.insert(path).second)
      Error(path.substr(0, 200) + ": the key stands here a second time");
  }

  bool Value(ConfigValue value) {
    if (skip_depth_ > 0) return true;
    if (array_depth_ > 0) {
      if (auto* text = std::get_if<std::string>(&value); text != nullptr) {
        if (list_.size() <= kNamesMax) list_.push_back(std::move(*text));
      } else {
        list_is_names_ = false;
      }
      return true;
    }
    if (depth_ == 0) {
      Error("the file holds a single value; accepted: an object with keys");
      return true;
    }
    const std::string path = Path();
    const ConfigKey* key = in_sections() ? nullptr : FindKey(KeyPath());
    if (key == nullptr) {
      if (in_sections() || (depth_ == base_ + 1 && IsGroup(key_))) {
        Error(path.substr(0, 200) + ": found a value; accepted: an object with keys");
      } else {
        Unknown(path);
      }
      return true;
    }
    CheckDuplicate(path);
    Config of_model;
    Config& config = model_ == nullptr ? config_ : of_model;
    if (const Status status = SetConfigValue(*key, value, config); !status.ok()) {
      Error(path.substr(0, 200) + ": " + status.message());
    } else if (model_ != nullptr) {
      model_->insert_or_assign(key->path, std::move(value));
    }
    return true;
  }

  void Unknown(const std::string& path) {
    // Names the keys of the same group; at the top level, all.
    const std::string prefix = depth_ == base_ + 2 ? group_ + "." : "";
    std::string known;
    for (const ConfigKey& key : ConfigKeys()) {
      if (!Stands(key) || !std::string_view(key.path).starts_with(prefix)) continue;
      known += (known.empty() ? "" : ", ") + key.path;
    }
    if (depth_ == 1) known += ", " + std::string(kModelSettings);
    Error(path.substr(0, 200) + ": unknown key; accepted: " + known);
  }

  void Error(const std::string& message) {
    if (++error_count_ > kConfigErrorsMax) return;
    if (!errors_.empty()) errors_ += '\n';
    errors_ += std::string(file_name_) + ":" + std::to_string(*newline_count_ + 1) + ": " + message;
  }

  std::string_view file_name_;
  const std::size_t* newline_count_;
  Config& config_;
  std::size_t depth_ = 0;  // objects around: 1 in the top one, 2 in a group
  std::size_t base_ = 0;   // where models' sections stand 2, which is the depth around them; else 0
  std::string model_name_;
  ModelSection* model_ = nullptr;  // the section around
  std::size_t array_depth_ = 0;
  std::size_t skip_depth_ = 0;  // objects and lists around that were refused as a whole
  std::string group_;
  std::string key_;
  std::vector<std::string> list_;
  bool list_is_names_ = true;
  std::set<std::string> seen_;
  std::size_t error_count_ = 0;
  std::string errors_;
};

// Comment lines of at most 100 columns.
void AppendComment(std::string& out, std::string_view indent, std::string_view text) {
  constexpr std::size_t kColumns = 100;
  const std::string start = std::string(indent) + "// ";
  std::string line;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (!line.empty() && start.size() + line.size() + 1 + word.size() > kColumns) {
      out += start + line + '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  out += start + line + '\n';
}

// Puts the value where its path says.
void Place(const ConfigKey& key, const Config& config, nlohmann::ordered_json& object) {
  const std::size_t dot = key.path.find('.');
  auto& group = dot == std::string::npos ? object : object[key.path.substr(0, dot)];
  group[dot == std::string::npos ? key.path : key.path.substr(dot + 1)] =
      nlohmann::ordered_json::parse(FormatConfigValue(key, config));
}

}  // namespace

Status ApplyConfigText(std::string_view text, std::string_view file_name, Config& config) {
  if (text.size() > kConfigBytesMax)
    return NotAccepted(ShowValue(text.size()) + " bytes", AcceptedAtMost(kConfigBytesMax))
        .WithContext(file_name);
  std::size_t newline_count = 0;
  bool at_line_start = false;
  Config result = config;
  ConfigReader reader(file_name, &newline_count, result);
  const LineCountingIterator begin(text.data(), &newline_count, &at_line_start);
  const LineCountingIterator end(text.data() + text.size(), &newline_count, &at_line_start);
  Json::sax_parse(begin, end, &reader, Json::input_format_t::json, /*strict=*/true,
                  /*ignore_comments=*/true);
  EDGEMOE_RETURN_IF_ERROR(reader.TakeStatus());
  config = std::move(result);
  return OkStatus();
}

Status ApplyConfigFile(const std::string& path, Config& config) {
  const std::string what = "config file '" + path + "'";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, what);
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, what);
  if (S_ISDIR(info.st_mode)) return ErrnoStatus(EISDIR, what);
  std::string text;
  char buffer[4096];
  while (text.size() <= kConfigBytesMax) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, what);
    if (count == 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return ApplyConfigText(text, path, config);
}

std::string DropInFolder(const std::string& config_path) {
  constexpr std::string_view kEnding = ".json";
  std::string stem = config_path;
  if (stem.ends_with(kEnding)) stem.resize(stem.size() - kEnding.size());
  return stem + ".d";
}

Status ApplyConfigFolder(const std::string& folder, Config& config,
                         std::vector<std::string>& read) {
  std::error_code error;
  std::vector<std::string> paths;
  std::filesystem::directory_iterator entries(folder, error);
  if (error == std::errc::no_such_file_or_directory) return OkStatus();
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::filesystem::path& path = entries->path();
    if (path.extension() == ".json" && !path.filename().string().starts_with('.'))
      paths.push_back(path.string());
  }
  if (error) return ErrnoStatus(error.value(), "config folder '" + folder + "'");
  if (paths.size() > kConfigDropInsMax)
    return NotAccepted(ShowValue(paths.size()) + " files", AcceptedAtMost(kConfigDropInsMax))
        .WithContext("config folder '" + folder + "'");
  std::ranges::sort(paths);
  for (std::string& path : paths) {
    EDGEMOE_RETURN_IF_ERROR(ApplyConfigFile(path, config));
    read.push_back(std::move(path));
  }
  return OkStatus();
}

std::string FormatModelSettings(const Config& config) {
  nlohmann::ordered_json sections = nlohmann::ordered_json::object();
  for (const auto& [name, section] : config.model_settings) {
    Config of_model = config;
    of_model.from_flags.clear();
    of_model = WithSection(of_model, name);
    nlohmann::ordered_json& object = sections[name] = nlohmann::ordered_json::object();
    for (const ConfigKey& key : ConfigKeys())
      if (section.contains(key.path)) Place(key, of_model, object);
  }
  return sections.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string FormatConfigJson(const Config& config) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const ConfigKey& key : ConfigKeys()) Place(key, config, object);
  object[std::string(kModelSettings)] = nlohmann::ordered_json::parse(FormatModelSettings(config));
  return object.dump(2) + '\n';
}

std::string FormatConfig(const Config& config) {
  const Config defaults;
  std::string out =
      "// Configuration of edgemoed. Each key is shown with what it means, what it accepts and "
      "its\n"
      "// default. Flags override this file; edgemoed --print-config shows what is in force.\n{\n";
  std::string group;
  bool first = true;
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string_view path = key.path;
    const std::size_t dot = path.find('.');
    const std::string key_group(dot == std::string_view::npos ? "" : path.substr(0, dot));
    const std::string_view name = dot == std::string_view::npos ? path : path.substr(dot + 1);
    const bool same_group = key_group == group;
    if (!group.empty() && !same_group) out += "\n  }";
    if (!first) out += ",\n";
    if (!key_group.empty() && !same_group) out += "  \"" + key_group + "\": {\n";
    group = key_group;
    first = false;
    const std::string indent = group.empty() ? "  " : "    ";
    AppendComment(out, indent, key.meaning);
    AppendComment(out, indent,
                  key.accepts + "; default " + FormatConfigValue(key, defaults) +
                      (key.taken_over == TakenOver::kLive ? "; SIGHUP takes it over" : ""));
    out += indent + "\"" + std::string(name) + "\": " + FormatConfigValue(key, config);
  }
  if (!group.empty()) out += "\n  }";
  std::string keys;
  for (const ConfigKey& key : ConfigKeys())
    if (key.of_model) keys += (keys.empty() ? "" : ", ") + key.path;
  out += ",\n";
  AppendComment(out, "  ",
                "Settings by model, in place of those above: by the model's name, keys as above, "
                "as in {\"qwen3-30b\": {\"context_tokens\": 8192, \"sampling\": "
                "{\"temperature\": 0.6}}}.");
  AppendComment(out, "  ",
                "an object of at most " + std::to_string(kModelSectionsMax) +
                    " sections with some of " + keys + "; default {}");
  out += "  \"" + std::string(kModelSettings) + "\": " + FormatModelSettings(config) + "\n}\n";
  return out;
}

}  // namespace edgemoe
