/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "weft.h"

G_BEGIN_DECLS

/* What the process returns, as docs/guide/troubleshooting.md and weft(1) say. */
typedef enum {
  CLI_EXIT_DONE = 0,
  CLI_EXIT_FAILED = 1,
  CLI_EXIT_USAGE = 2,
  CLI_EXIT_INVALID_JOB = 3,
  CLI_EXIT_SOURCE = 4,
  CLI_EXIT_OUTPUT = 5,
  CLI_EXIT_CANCELLED = 130,
} CliExit;

/* What a shell offers when it completes a value. */
typedef enum {
  CLI_VALUE_NONE, /* a flag: there is no value */
  CLI_VALUE_TEXT,
  CLI_VALUE_FILE,
  CLI_VALUE_FOLDER,
  CLI_VALUE_CHOICE,
} CliValue;

/* An option, or with a @name in capitals an argument. */
typedef struct {
  const gchar *name; /* without the dashes */
  gchar letter;      /* 0: only the long name */
  CliValue value;
  const gchar *metavar; /* how help calls the value */
  const gchar *choices; /* CLI_VALUE_CHOICE: its words, split by spaces; the first is the default */
  gboolean is_repeatable; /* may be given more than once */
  const gchar *summary;   /* one line, no full stop */
} CliOption;

typedef struct _CliInvocation CliInvocation;

typedef struct {
  const gchar *name;
  const gchar *summary;      /* one line, no full stop */
  const gchar *description;  /* for help and the man page; paragraphs split by an empty line */
  const CliOption *argument; /* (nullable): the one positional argument, which is then required */
  const CliOption *options;  /* ended by a NULL name */
  CliExit (*run) (CliInvocation *invocation);
} CliCommand;

/* Every command and option there is. Parsing, --help, the completions and the man page all read it.
 */
extern const CliCommand cli_commands[]; /* ended by a NULL name */
extern const CliOption cli_common_options[];

typedef struct {
  CliExit code;
  const gchar *meaning;
} CliExitMeaning;

extern const CliExitMeaning cli_exit_meanings[]; /* ended by a NULL meaning */

typedef struct {
  const gchar *name;
  const gchar *meaning;
} CliVariable;

extern const CliVariable cli_environment[]; /* ended by a NULL name */

const CliCommand *cli_command_find (const gchar *name);

/* What was typed, checked against the table. */
CliInvocation *
cli_invocation_parse (const CliCommand *command, gint argc, gchar **argv, GError **error);
void cli_invocation_free (CliInvocation *self);
const CliCommand *cli_invocation_get_command (CliInvocation *self);
const gchar *cli_invocation_get_argument (CliInvocation *self);
gboolean cli_invocation_get_stall_timeout (CliInvocation *self, gdouble *seconds, GError **error);
gboolean cli_invocation_get_flag (CliInvocation *self, const gchar *name);
const gchar *cli_invocation_get_value (CliInvocation *self, const gchar *name);
const gchar *const *cli_invocation_get_values (CliInvocation *self, const gchar *name);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliInvocation, cli_invocation_free)

#define CLI_USAGE_ERROR (cli_usage_error_quark ())
GQuark cli_usage_error_quark (void);

/* cli-help.c */
gchar *cli_help_overview (void);
gchar *cli_help_command (const CliCommand *command);
const gchar *cli_help_suggest (const gchar *word, const gchar *const *candidates);

/* cli-generate.c */
gchar *cli_generate (const gchar *format);

/* cli-print.c */
gboolean cli_is_colourful (gint fd);
gchar *cli_make_visible (const gchar *text);
CliExit cli_exit_from_error (const GError *error);
void cli_print_error (const GError *error);
void cli_print_problem (const WeftProblem *problem);
void cli_print_warnings (GPtrArray *warnings);
gchar *cli_json_to_text (JsonNode *node, gboolean pretty, gboolean redact);
gboolean cli_write_text (const gchar *text);
CliExit cli_print_json (JsonNode *node, gboolean redact);

/* cli-environment.c */
gboolean cli_start_gstreamer (GError **error);

/* cli-job.c */
WeftJob *cli_job_load (CliInvocation *invocation, GCancellable *cancellable, GError **error);
WeftJob *cli_job_place_outputs (CliInvocation *invocation, WeftJob *job);
WeftPlan *cli_plan_load (CliInvocation *invocation, GCancellable *cancellable, GError **error);

/* One function a subcommand, each in command-NAME.c. */
CliExit cli_command_run (CliInvocation *invocation);
CliExit cli_command_validate (CliInvocation *invocation);
CliExit cli_command_plan (CliInvocation *invocation);
CliExit cli_command_graph (CliInvocation *invocation);
CliExit cli_command_probe (CliInvocation *invocation);
CliExit cli_command_schema (CliInvocation *invocation);
CliExit cli_command_presets (CliInvocation *invocation);
CliExit cli_command_doctor (CliInvocation *invocation);

G_END_DECLS
