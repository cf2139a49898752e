// SPDX-License-Identifier: Apache-2.0
//
// Writes models of published shapes with random weights, for measurements of speed and memory.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "tests/shapes/shape_model.h"
#include "tests/support/models/random_model_file.h"

namespace edgemoe {
namespace {

struct Arguments {
  std::string shape;
  std::string output;
  std::string types;
  bool headers_only = false;
  ShapeFileOptions options;
};

std::unique_ptr<CLI::App> MakeApp(Arguments& arguments) {
  auto app = std::make_unique<CLI::App>(
      "shape_file: writes a model of a published shape with random weights", "shape_file");
  app->option_defaults()->always_capture_default();
  app->add_option("--shape", arguments.shape, RealShapeNames())->type_name("NAME")->required();
  app->add_option("-o,--output", arguments.output, "The file")->type_name("FILE")->required();
  app->add_option("--layers", arguments.options.layers, "Only the first so many; 0: all")
      ->type_name("N");
  app->add_option("--types", arguments.types,
                  TypeRecipeNames() + " (default: as the shape's files have them)")
      ->type_name("NAME");
  app->add_flag("--tied", arguments.options.tied,
                "One matrix for embedding and output, where it is published so; the greedy answer "
                "does not walk through the vocabulary then");
  app->add_flag("--headers-only", arguments.headers_only,
                "No weights: a file of full size that takes no room, for edgemoe plan");
  app->add_option("--topic", arguments.options.topic_share,
                  "Share of an embedding's variance that its topic gives: how much tokens that "
                  "follow one another share experts")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  app->add_option("--seed", arguments.options.seed, "Of all weights")->type_name("N");
  return app;
}

Status Write(Arguments arguments) {
  const RealShape* const shape = FindRealShape(arguments.shape);
  if (shape == nullptr)
    return InvalidField("--shape", ShowValue(arguments.shape), RealShapeNames());
  ShapeFileOptions& options = arguments.options;
  if (options.layers != 0)
    EDGEMOE_RETURN_IF_ERROR(
        CheckRange("--layers", options.layers, LeastLayers(*shape), shape->config.layer_count()));
  if (options.tied && !shape->tied_output)
    return InvalidArgumentError("--tied: " + shape->name + " has an output of its own");
  if (!arguments.types.empty()) {
    options.recipe = FindTypeRecipe(arguments.types);
    if (!options.recipe)
      return InvalidField("--types", ShowValue(arguments.types), TypeRecipeNames());
  }
  const RandomModelOptions model = ShapeModel(*shape, options);
  EDGEMOE_RETURN_IF_ERROR(arguments.headers_only ? WriteRandomModelHeader(arguments.output, model)
                                                 : WriteRandomModel(arguments.output, model));
  std::printf("%s: %s\n", arguments.output.c_str(),
              FormatByteSize(RandomModelHeader(model).file_bytes).c_str());
  return OkStatus();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  const std::unique_ptr<CLI::App> app = MakeApp(arguments);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app->exit(error);
  }
  const Status status = Write(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "shape_file: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) { return edgemoe::Main(argc, argv); }
