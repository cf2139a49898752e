// SPDX-License-Identifier: Apache-2.0
#include "client/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/chat/slash_commands.h"
#include "client/cli/pack_options.h"
#include "client/cli/reference/command_help.h"
#include "client/cli/reference/completion.h"
#include "client/cli/reference/manual_page.h"
#include "client/cli/request_settings.h"
#include "client/cli/terminal/size_text.h"
#include "client/cli/unknown_command.h"

namespace edgemoe::cli {
namespace {

// Adds a flag whose value goes into a message by `set`.
template <class T, class Set>
CLI::Option* AddValue(CLI::App* app, const std::string& name, Set set, const std::string& help,
                      const std::string& type) {
  return app->add_option_function<T>(name, set, help)->type_name(type);
}

template <class Request>
void AddModel(CLI::App* app, Request* request) {
  AddValue<std::string>(
      app, "-m,--model", [request](const std::string& name) { request->set_model(name); },
      "Name of a loaded model (default: the only one)", "NAME");
}

void AddText(CLI::App* app, TextSource* source, const std::string& what) {
  auto* text = app->add_option("text", source->text, what + " (default: standard input)");
  app->add_option("-f,--file", source->file, what + " from a file; - is standard input")
      ->type_name("FILE")
      ->excludes(text);
}

void AddLogitBias(const std::string& text, v1::Sampling* sampling) {
  const std::size_t equals = text.find('=');
  std::int32_t token = 0;
  float bias = 0;
  const char* end = text.data() + text.size();
  if (equals == std::string::npos ||
      std::from_chars(text.data(), text.data() + equals, token).ptr != text.data() + equals ||
      std::from_chars(text.data() + equals + 1, end, bias).ptr != end || equals + 1 == text.size())
    throw CLI::ValidationError("--logit-bias", "expected TOKEN=BIAS as in 13=-2.5, found " + text);
  v1::LogitBias* entry = sampling->add_logit_bias();
  entry->set_token(token);
  entry->set_bias(bias);
}

const char* GroupOf(RequestSetting::Part part) {
  switch (part) {
    case RequestSetting::Part::kSampling: return "Sampling";
    case RequestSetting::Part::kStopping: return "Stopping";
    case RequestSetting::Part::kReasoning:
    case RequestSetting::Part::kReasoningLimit: break;
  }
  return "Reasoning";
}

// The options that set one part of a request, which is `message`.
void AddSettings(CLI::App* app, RequestSetting::Part part, google::protobuf::Message* message) {
  for (const RequestSetting& setting : RequestSettings()) {
    if (setting.part != part) continue;
    const auto set = [message, &setting](const std::string& text) {
      if (const std::string wrong = SetFromText(setting, text, *message); !wrong.empty())
        throw CLI::ValidationError(setting.flag(), wrong);
    };
    CLI::Option* option = nullptr;
    if (setting.value[0] == '\0') {
      const auto turn = [set](std::int64_t count) { set(count > 0 ? "on" : "off"); };
      option = app->add_flag_function(setting.flags, turn, setting.help);
    } else {
      option = AddValue<std::string>(app, setting.flags, set, setting.help, setting.value);
    }
    option->group(GroupOf(part));
  }
}

void AddSampling(CLI::App* app, v1::Sampling* sampling) {
  AddSettings(app, RequestSetting::Part::kSampling, sampling);
  AddValue<std::vector<std::string>>(
      app, "--logit-bias",
      [sampling](const std::vector<std::string>& entries) {
        for (const std::string& entry : entries) AddLogitBias(entry, sampling);
      },
      "Adds BIAS to a token's logit; may be repeated", "TOKEN=BIAS")
      ->allow_extra_args(false)
      ->group(GroupOf(RequestSetting::Part::kSampling));
}

void AddStopping(CLI::App* app, v1::Stopping* stopping) {
  const std::string group = GroupOf(RequestSetting::Part::kStopping);
  AddSettings(app, RequestSetting::Part::kStopping, stopping);
  AddValue<std::vector<std::string>>(
      app, "--stop",
      [stopping](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) stopping->add_sequences(text);
      },
      "Text that ends the answer; may be repeated", "TEXT")
      ->allow_extra_args(false)
      ->group(group);
  AddValue<std::vector<std::int32_t>>(
      app, "--stop-token",
      [stopping](const std::vector<std::int32_t>& ids) {
        for (const std::int32_t id : ids) stopping->add_tokens(id);
      },
      "Token that ends the answer; may be repeated", "ID")
      ->allow_extra_args(false)
      ->group(group);
}

template <class Request>
void AddGeneration(CLI::App* app, Request* request) {
  AddModel(app, request);
  AddSampling(app, request->mutable_sampling());
  AddStopping(app, request->mutable_stopping());
  AddValue<std::uint32_t>(
      app, "--logprobs",
      [request](std::uint32_t n) { request->mutable_response()->set_top_logprobs(n); },
      "With --json: log-probabilities of each token and of N alternatives", "N");
}

template <class Request>
void AddVariables(CLI::App* app, Request* request) {
  AddValue<std::vector<std::string>>(
      app, "--var",
      [request](const std::vector<std::string>& entries) {
        for (const std::string& entry : entries) {
          const std::size_t equals = entry.find('=');
          if (equals == std::string::npos || equals == 0)
            throw CLI::ValidationError("--var", "expected NAME=JSON, found " + entry);
          (*request->mutable_template_variables())[entry.substr(0, equals)] =
              entry.substr(equals + 1);
        }
      },
      "Variable for the chat template, as in enable_thinking=false; may be repeated", "NAME=JSON")
      ->allow_extra_args(false);
}

// Adds each command; `chosen` becomes the one that was parsed.
class Parser {
 public:
  Parser() {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.footer(kExitCodesHelp);
    app_.set_version_flag("--version", "edgemoe " EDGEMOE_VERSION);
    app_.add_option("-s,--socket,--address", common_.address,
                    "The daemon's unix socket, or host:port (default: $EDGEMOE_SOCKET, the user's "
                    "or the system's socket)")
        ->type_name("ADDRESS");
    app_.add_flag("--json", common_.json, "JSON on stdout: an object, or one a line for streams");
    app_.add_flag("-v,--verbose", common_.verbose,
                  "The request's id; speed and storage account after an answer");
    app_.add_option("--wait", common_.wait_seconds,
                    "Seconds to wait for a daemon that is not there yet or is loading")
        ->type_name("SECONDS");
    AddSetup();
    AddInference();
    AddTexts();
    AddEmbed();
    AddObserving();
    AddModels();
    AddPull();
    AddPack();
    AddTrace();
    AddReference();
  }

  std::variant<CommandLine, ExitCode> Parse(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::RequiredError& error) {
      if (const std::string unknown = UnknownCommand(app_); !unknown.empty()) {
        std::fprintf(stderr, "edgemoe: %s\n", unknown.c_str());
        return ExitCode::kUsage;
      }
      app_.exit(error);
      return ExitCode::kUsage;
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? ExitCode::kOk : ExitCode::kUsage;
    }
    return CommandLine{std::move(common_), take_()};
  }

 private:
  // The command's options live in the parser until Parse moves the chosen ones out.
  template <class T>
  std::pair<CLI::App*, T*> Add(const std::string& name, const std::string& help,
                               CLI::App* parent = nullptr) {
    auto command = std::make_shared<T>();
    commands_.push_back(command);
    CLI::App* app = (parent == nullptr ? &app_ : parent)->add_subcommand(name, help);
    app->callback([this, command] { take_ = [command]() -> Command { return *command; }; });
    return {app, command.get()};
  }

  void AddSetup() {
    auto [setup, setup_options] = Add<SetupCommand>(
        "setup", "Choose a model for this machine, download it, and have the daemon serve it");
    SetupCommand* command = setup_options;
    setup
        ->add_option("-m,--model", command->model,
                     "This one: a model that is here, a short name as qwen3-30b-a3b, or "
                     "hf.co/ORG/REPO:QUANT (default: ask)")
        ->type_name("NAME");
    AddValue<std::string>(
        setup, "--budget",
        [command](const std::string& text) {
          command->budget_bytes = SizeFromText("--budget", text);
        },
        "Memory for everything, as in 1200MiB (default: what the daemon chooses)", "SIZE");
    setup->add_flag("-y,--yes", command->yes, "Take the recommended model without asking");
    setup->add_flag("!--no-start", command->start,
                    "Write the configuration only: the daemon takes it over when it starts");
    setup
        ->add_option("--config-folder", command->config_folder,
                     "Folder of the daemon's drop-ins (default: edgemoe/edgemoed.d in /etc for "
                     "root, in ~/.config for others)")
        ->type_name("FOLDER");
  }

  void AddInference() {
    auto [complete, complete_options] = Add<CompleteCommand>("complete", "Continue a text");
    AddText(complete, &complete_options->prompt, "The text");
    v1::CompleteRequest* request = &complete_options->request;
    AddValue<std::vector<std::int32_t>>(
        complete, "--prompt-tokens",
        [request](const std::vector<std::int32_t>& ids) {
          for (const std::int32_t id : ids) request->mutable_prompt_tokens()->add_ids(id);
        },
        "The prompt as token ids, separated by commas", "IDS")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->excludes("text")
        ->excludes("--file");
    AddGeneration(complete, request);

    auto [chat, chat_options] = Add<ChatCommand>(
        "chat", "Talk with the model; one answer when standard input is not a terminal");
    chat->add_option("--system", chat_options->system, "System message")->type_name("TEXT");
    chat->add_option("message,--message", chat_options->message, "Ask this and leave")
        ->type_name("TEXT");
    chat->add_option("--tools", chat_options->tools_file,
                     "JSON: tools that the model may call, each with a command that is run for it")
        ->type_name("FILE");
    chat->add_flag("--yes", chat_options->runs_tools_unasked, "Run tools without asking");
    v1::ChatRequest* chat_request = &chat_options->request;
    AddSettings(chat, RequestSetting::Part::kReasoning, chat_request->mutable_reasoning());
    AddSettings(chat, RequestSetting::Part::kReasoningLimit, chat_request->mutable_reasoning());
    AddVariables(chat, &chat_options->request);
    AddGeneration(chat, &chat_options->request);
  }

  void AddTexts() {
    auto [tokenize, tokenize_options] = Add<TokenizeCommand>("tokenize", "Text to tokens");
    AddText(tokenize, &tokenize_options->text, "The text");
    AddModel(tokenize, &tokenize_options->request);
    v1::TokenizeRequest* request = &tokenize_options->request;
    tokenize->add_flag_callback(
        "--no-special", [request] { request->set_add_special(false); },
        "Do not add the model's begin token");
    tokenize->add_flag_callback(
        "--plain", [request] { request->set_parse_special(false); },
        "Read names of special tokens as plain text");

    auto [detokenize, detokenize_options] = Add<DetokenizeCommand>(
        "detokenize", "Tokens to text; ids as arguments or on standard input");
    v1::DetokenizeRequest* ids = &detokenize_options->request;
    AddValue<std::vector<std::int32_t>>(
        detokenize, "ids",
        [ids](const std::vector<std::int32_t>& list) {
          ids->mutable_tokens()->Add(list.begin(), list.end());
        },
        "Token ids, separated by spaces or commas", "IDS")
        ->delimiter(',');
    AddModel(detokenize, ids);
    detokenize->add_flag_callback(
        "--no-special", [ids] { ids->set_render_special(false); }, "Leave special tokens out");

    auto [templates, template_options] =
        Add<TemplateCommand>("template", "The prompt that a chat would run");
    templates->add_option("--system", template_options->system, "System message")
        ->type_name("TEXT");
    templates
        ->add_option("messages", template_options->messages, "User and assistant messages in turn")
        ->required();
    v1::ApplyTemplateRequest* apply = &template_options->request;
    templates->add_flag_callback(
        "--no-generation-prompt", [apply] { apply->set_add_generation_prompt(false); },
        "Do not open the assistant's answer");
    AddSettings(templates, RequestSetting::Part::kReasoning, apply->mutable_reasoning());
    AddVariables(templates, apply);
    AddModel(templates, apply);

    auto [score, score_options] =
        Add<ScoreCommand>("score", "Perplexity of a text under the model");
    AddText(score, &score_options->text, "The text");
    score
        ->add_option("--window", score_options->window_tokens,
                     "Tokens scored together when the text is longer (default: the context)")
        ->type_name("TOKENS");
    v1::ScoreRequest* score_request = &score_options->request;
    AddValue<std::uint32_t>(
        score, "--logprobs",
        [score_request](std::uint32_t n) { score_request->set_top_logprobs(n); },
        "With --json: log-probabilities of N alternatives for each token", "N");
    AddModel(score, score_request);
  }

  void AddEmbed() {
    auto [embed, embed_options] = Add<EmbedCommand>(
        "embed", "Vectors of texts, as JSON: an object a line with index, values and tokens");
    embed->add_option("texts", embed_options->texts,
                      "The texts (default: the lines of standard input)");
    v1::EmbedRequest* request = &embed_options->request;
    AddValue<std::string>(
        embed, "--pooling",
        [request](const std::string& name) {
          if (name != "mean" && name != "last" && name != "first")
            throw CLI::ValidationError("--pooling", "expected mean, last or first, found " + name);
          request->set_pooling(name == "mean"   ? v1::POOLING_MEAN
                               : name == "last" ? v1::POOLING_LAST
                                                : v1::POOLING_FIRST);
        },
        "mean of the tokens' hidden states, or the last or first one (default: as the model's "
        "file says, else mean)",
        "NAME");
    embed->add_flag_callback(
        "--raw", [request] { request->set_normalize(false); },
        "Vectors as they are, not of length 1");
    AddModel(embed, request);
  }

  void AddObserving() {
    auto [plan, plan_options] =
        Add<PlanCommand>("plan", "How a memory budget would be shared out, loading nothing");
    v1::PlanRequest* request = &plan_options->request;
    AddModel(plan, request);
    AddValue<std::string>(
        plan, "--budget",
        [request](const std::string& text) {
          request->set_budget_bytes(SizeFromText("--budget", text));
        },
        "Memory for everything, as in 1200MiB (default: the daemon's)", "SIZE");
    AddValue<std::uint32_t>(
        plan, "--context", [request](std::uint32_t n) { request->set_context_tokens(n); },
        "Longest sequence in tokens", "TOKENS");
    AddValue<std::uint32_t>(
        plan, "--sessions", [request](std::uint32_t n) { request->set_sessions_max(n); },
        "Requests that run at once", "N");

    Add<StatsCommand>("stats", "What the daemon is doing");

    auto [health, health_options] = Add<HealthCommand>(
        "health", "Whether requests are served: exit code 0, else 69; for scripts and probes");
    health->add_flag("--alive", health_options->alive,
                     "Whether the daemon answers at all: also while it loads or stops");

    auto [resize, resize_options] =
        Add<ResizeCommand>("resize", "Another memory budget, while requests go on");
    ResizeCommand* new_size = resize_options;
    AddValue<std::string>(
        resize, "size",
        [new_size](const std::string& text) {
          new_size->budget_bytes = text == "auto" ? 0 : SizeFromText("size", text);
        },
        "Memory for everything, as in 1200MiB; auto: what the daemon chooses by itself", "SIZE")
        ->required();

    auto [probe, probe_options] =
        Add<ProbeCommand>("probe", "How fast the storage under the model is");
    v1::ProbeRequest* probe_request = &probe_options->request;
    probe->add_flag_callback(
        "--fresh", [probe_request] { probe_request->set_fresh(true); },
        "Measure anew, which takes about a second, instead of telling what is known");

    auto [doctor, doctor_options] = Add<DoctorCommand>(
        "doctor",
        "What on this machine keeps the daemon from working well, and the commands that mend it");
    doctor->add_option("path", doctor_options->path,
                       "A model or a folder for models, whose storage is looked at (default: what "
                       "the daemon uses)");

    Add<PsCommand>("ps", "Requests that wait or run: yours; as an administrator, all");

    auto [abort, abort_options] = Add<AbortCommand>("abort", "End a request");
    abort->add_option("request", abort_options->request_id, "Its id, as `ps` and -v tell it")
        ->required();
  }

  void AddModels() {
    auto [models, models_options] = Add<ModelsCommand>("models", "The models that there are");
    models->add_option("name", models_options->name, "Only this one");
    // Its callback comes after that of a command below it.
    models->callback([this, app = models, command = models_options] {
      if (app->get_subcommands().empty()) take_ = [command]() -> Command { return *command; };
    });
    Add<ModelsCommand>("ls", "All of them", models);
    auto [show, show_options] = Add<ModelsCommand>(
        "show",
        "One of them; or, before anything is downloaded, what this machine could do with each "
        "quant of a repository",
        models);
    show->add_option("name", show_options->name,
                     "Its name; hf.co/ORG/REPO, hf.co/ORG/REPO:QUANT, a URL, or a short name as "
                     "qwen3-30b-a3b")
        ->required();
    auto [add, add_options] = Add<AddModelCommand>(
        "add", "Make a file one of the models, by a link in the daemon's directory", models);
    add->add_option("file", add_options->path, "A GGUF file; of a split model the first part")
        ->required();
    auto [remove, remove_options] =
        Add<RemoveModelCommand>("rm", "Remove a model from the daemon's directory", models);
    remove->add_option("name", remove_options->name, "Its name")->required();
    remove->add_flag("-y,--yes", remove_options->yes, "Without a question");
  }

  void AddPull() {
    auto [pull, pull_options] = Add<PullCommand>(
        "pull", "Download a model into the daemon's directory; goes on where it was cut");
    v1::PullRequest* request = &pull_options->request;
    CLI::Option* model = AddValue<std::string>(
        pull, "model", [request](const std::string& text) { request->set_model(text); },
        "hf.co/ORG/REPO, hf.co/ORG/REPO:QUANT, a URL, or a short name as qwen3-30b-a3b", "MODEL");
    AddValue<std::string>(
        pull, "--rate-limit",
        [request](const std::string& text) {
          request->set_bytes_per_second_max(SizeFromText("--rate-limit", text));
        },
        "Bytes a second at most, as in 10MiB", "SIZE");
    AddValue<std::string>(
        pull, "--reserve",
        [request](const std::string& text) {
          request->set_reserve_bytes(SizeFromText("--reserve", text));
        },
        "What stays free on the disk (default 1GiB)", "SIZE");
    pull->add_flag_callback(
        "--allow-private-redirects", [request] { request->set_allow_private_redirects(true); },
        "Follow redirects to addresses that are not public");
    AddPackTargets(pull, "--pack,--bits", "Pack it when it is there, to one of these targets",
                   [request] { return request->mutable_pack(); });
    CLI::Option* cancel = pull->add_flag("--cancel", pull_options->cancel,
                                         "End the download that runs, or the pack that follows it");
    model->excludes(cancel);
    pull->callback([this, command = pull_options] {
      if (!command->cancel && command->request.model().empty()) throw CLI::RequiredError("model");
      take_ = [command]() -> Command { return *command; };
    });
  }

  void AddPack() {
    auto [pack, pack_options] = Add<PackCommand>(
        "pack",
        "Write a model anew so that each expert is read at once, with fewer bits where they matter "
        "least; the daemon does it");
    AddPackOptions(pack, &pack_options->request);
  }

  void AddTrace() {
    CLI::App* trace = app_.add_subcommand("trace", "What routers choose");
    trace->require_subcommand(1);
    auto [record, record_options] = Add<TraceRecordCommand>(
        "record", "Write down what routers choose from now on, as CSV; Ctrl-C ends it", trace);
    v1::RecordTraceRequest* request = &record_options->request;
    record->add_option("-o,--output", record_options->output, "A new file; -: standard output")
        ->type_name("FILE")
        ->required();
    AddValue<std::uint64_t>(
        record, "--steps", [request](std::uint64_t n) { request->set_steps_max(n); },
        "End after about so many steps", "N");
    AddValue<double>(
        record, "--seconds", [request](double n) { request->set_time_limit_seconds(n); },
        "End after so long", "SECONDS");

    CLI::App* replay = trace->add_subcommand(
        "replay", "Run a recorded trace through caches, without a model: see edgemoe-bench replay");
    replay->prefix_command();
    replay->fallthrough(false);  // else the first word goes to `edgemoe` itself, which wants none
    replay->set_help_flag();
    replay->callback([this, replay] {
      take_ = [replay]() -> Command { return TraceReplayCommand{replay->remaining()}; };
    });
  }

  void AddReference() {
    CLI::App* completion = app_.add_subcommand(
        "completion", "What makes a shell complete this command line: source it there");
    completion->require_subcommand(1);
    const auto add = [this](CLI::App* parent, const std::string& name, const std::string& help,
                            std::string (*write)(const CommandHelp&)) {
      CLI::App* app = parent->add_subcommand(name, help);
      app->callback([this, write] {
        take_ = [this, write]() -> Command {
          return ReferenceCommand{write(DescribeCommands(app_))};
        };
      });
    };
    add(completion, "bash", "For bash", BashCompletion);
    add(completion, "zsh", "For zsh", ZshCompletion);
    add(completion, "fish", "For fish", FishCompletion);
    add(&app_, "manual", "The manual page, for man(1): edgemoe manual | man -l -",
        [](const CommandHelp& program) {
          return ManualPage(program, {.exit_codes = kExitCodesHelp, .conversation = SlashHelp()});
        });
  }

  CLI::App app_{"edgemoe: talks to edgemoed, the daemon that runs mixture-of-experts models",
                "edgemoe"};
  CommonOptions common_;
  std::function<Command()> take_;
  std::vector<std::shared_ptr<void>> commands_;  // whose options are being read
};

}  // namespace

std::variant<CommandLine, ExitCode> ParseCommandLine(int argc, char** argv) {
  return Parser().Parse(argc, argv);
}

}  // namespace edgemoe::cli
