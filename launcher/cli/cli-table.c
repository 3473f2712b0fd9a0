/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one table of commands, options, exit codes and environment variables. */

#include "cli.h"

static const CliOption job_argument = { "JOB", 0, CLI_VALUE_FILE, "JOB", NULL, FALSE,
  "the job document; - reads standard input" };
static const CliOption uri_argument = { "URI", 0, CLI_VALUE_FILE, "URI", NULL, FALSE,
  "a file or a file:, http: or https: URI" };

#define OPTION_SET                                                                                 \
  {                                                                                                \
    "set", 's', CLI_VALUE_TEXT, "NAME=VALUE", NULL, TRUE,                                          \
        "give a variable of the job a value; goes before the job's own `variables`"                \
  }
#define OPTION_OUTPUT_DIR                                                                          \
  {                                                                                                \
    "output-dir", 'o', CLI_VALUE_FOLDER, "DIR", NULL, FALSE,                                       \
        "put outputs with a relative URI below DIR instead of beside the job"                      \
  }
#define OPTION_SHOW_SECRETS                                                                        \
  {                                                                                                \
    "show-secrets", 0, CLI_VALUE_NONE, NULL, NULL, FALSE,                                          \
        "print passwords and query values of URIs as they are instead of ***"                      \
  }
#define OPTION_STALL_TIMEOUT                                                                       \
  {                                                                                                \
    "stall-timeout", 0, CLI_VALUE_TEXT, "SECONDS", NULL, FALSE,                                    \
        "fail when nothing has moved for so long; 30 if not given, 0 waits for ever"               \
  }
#define OPTION_JSON                                                                                \
  {                                                                                                \
    "json", 0, CLI_VALUE_NONE, NULL, NULL, FALSE, "print JSON instead of text"                     \
  }
#define OPTION_END                                                                                 \
  {                                                                                                \
    .name = NULL                                                                                   \
  }

static const CliOption run_options[] = {
  OPTION_SET,
  OPTION_OUTPUT_DIR,
  { "events", 'e', CLI_VALUE_CHOICE, "HOW", "tty json none", FALSE,
      "how to tell what happens: for people, one JSON event a line on standard output, or not" },
  { "report", 'r', CLI_VALUE_FILE, "FILE", NULL, FALSE,
      "write what was read, made and used to FILE as JSON, also when the job fails" },
  OPTION_STALL_TIMEOUT,
  OPTION_END,
};

static const CliOption validate_options[] = {
  OPTION_SET,
  { "strict", 0, CLI_VALUE_NONE, NULL, NULL, FALSE, "treat warnings as errors" },
  OPTION_JSON,
  OPTION_END,
};

static const CliOption plan_options[] = {
  OPTION_SET,
  OPTION_OUTPUT_DIR,
  OPTION_STALL_TIMEOUT,
  OPTION_SHOW_SECRETS,
  OPTION_END,
};

static const CliOption graph_options[] = {
  OPTION_SET,
  OPTION_OUTPUT_DIR,
  { "format", 'f', CLI_VALUE_CHOICE, "FORMAT", "launch dot json", FALSE,
      "a line for gst-launch-1.0, a graph for Graphviz, or JSON" },
  OPTION_STALL_TIMEOUT,
  OPTION_SHOW_SECRETS,
  OPTION_END,
};

static const CliOption probe_options[] = { OPTION_STALL_TIMEOUT, OPTION_END };
static const CliOption doctor_options[] = { OPTION_JSON, OPTION_END };
static const CliOption no_options[] = { OPTION_END };

const CliOption cli_common_options[] = {
  { "help", 'h', CLI_VALUE_NONE, NULL, NULL, FALSE, "say how to use it" },
  { "version", 'V', CLI_VALUE_NONE, NULL, NULL, FALSE, "print the version" },
  OPTION_END,
};

const CliCommand cli_commands[] = {
  { "run", "render a job",
      "Renders every output of the job from one streaming graph: each source is read once and each "
      "frame decoded once. An output appears under its name only when it is complete; a job that "
      "fails or is cancelled leaves nothing behind.\n\n"
      "On a terminal there is one live line a stage with frames a second, speed and time left; "
      "elsewhere a plain line now and then. SIGINT, SIGTERM and SIGHUP cancel the job; a second "
      "one "
      "gives up at once.",
      &job_argument, run_options, cli_command_run },
  { "validate", "check a job document and print every problem in it",
      "Reads nothing but the job document: sources are not opened. Every problem is printed with "
      "its "
      "place as a JSON Pointer and what to do about it.",
      &job_argument, validate_options, cli_command_validate },
  { "plan", "print what a job comes to, exact to the frame and the sample",
      "Opens every source once and prints the plan as JSON: the frame at which each clip and "
      "overlay "
      "begins, the frames and samples of each output, which encoder makes it and why, and which "
      "parts "
      "of the job this build cannot run. Nothing is rendered.",
      &job_argument, plan_options, cli_command_plan },
  { "graph", "print the GStreamer graph a job becomes",
      "The line printed with --format launch is the very line that `weft run` gives to GStreamer; "
      "gst-launch-1.0 runs it too.",
      &job_argument, graph_options, cli_command_graph },
  { "probe", "print what is in a media file as JSON",
      "Streams, duration, rotation, colour, pixel shape, keyframes. Everything the planner knows "
      "about a source.",
      &uri_argument, probe_options, cli_command_probe },
  { "schema", "print the JSON Schema of job documents",
      "Editors check and complete job documents with it.", NULL, no_options, cli_command_schema },
  { "presets", "print the presets a job can start from",
      "A preset is a partial job that is merged under the job which names it. Printed is one JSON "
      "object with a member for each preset: what it is for, its file, the limits of its platform.",
      NULL, no_options, cli_command_presets },
  { "doctor", "tell what this machine can read, encode and draw",
      "Looks for the elements, encoders, decoders and fonts that jobs need and says which Debian "
      "package brings what is missing. Fails if jobs cannot run here at all.",
      NULL, doctor_options, cli_command_doctor },
  { .name = NULL },
};

const CliExitMeaning cli_exit_meanings[] = {
  { CLI_EXIT_DONE, "done: every output is complete" },
  { CLI_EXIT_FAILED, "failed: an encoder, a graph that stalled, the machine or Weft itself" },
  { CLI_EXIT_USAGE, "usage: unknown command or option, missing argument" },
  { CLI_EXIT_INVALID_JOB, "the job document is not valid, or asks for what this build cannot do" },
  { CLI_EXIT_SOURCE,
      "a source is missing, denied, damaged or changed, cannot be decoded or stopped delivering" },
  { CLI_EXIT_OUTPUT, "an output could not be written" },
  { CLI_EXIT_CANCELLED, "cancelled by SIGINT, SIGTERM or SIGHUP; nothing is left behind" },
  { 0, NULL },
};

const CliVariable cli_environment[] = {
  { "NO_COLOR", "set to anything: no colours on the terminal" },
  { "WEFT_DATA_DIR", "where the job schema and the presets are, instead of the installed ones" },
  { "GST_PLUGIN_PATH", "more folders in which GStreamer looks for elements" },
  { "GST_DEBUG", "GStreamer's own log; `GST_DEBUG=3` shows warnings" },
  { "TMPDIR", "where diagnostics such as the DOT file of a stalled graph are put" },
  { NULL, NULL },
};

const CliCommand *
cli_command_find (const gchar *name)
{
  for (const CliCommand *command = cli_commands; command->name; command++)
    if (g_str_equal (command->name, name))
      return command;
  return NULL;
}
