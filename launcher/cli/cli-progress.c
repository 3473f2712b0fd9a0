/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

#define BAR_CELLS 24
#define DEFAULT_COLUMNS 80
/* Elsewhere than on a terminal a line is worth printing this often. */
#define PLAIN_STEP_PERCENT 10.0
#define PLAIN_INTERVAL_US (30 * G_USEC_PER_SEC)

struct _CliProgress {
  gboolean is_live;
  gboolean is_colourful;
  gboolean is_utf8;
  gboolean is_drawn; /* a live line stands on the terminal */
  gchar *stage;      /* (nullable) */
  gint64 begun_us;
  gdouble plain_percent; /* at the last plain line */
  gint64 plain_us;
};

/**
 * cli_format_time:
 * @seconds: a length of time
 *
 * Returns: it for people: `0.8 s`, `41 s`, `2:05`, `1:02:05`
 */
gchar *
cli_format_time (gdouble seconds)
{
  guint64 whole = (guint64) (MAX (seconds, 0) + 0.5);

  if (seconds < 9.95)
    return g_strdup_printf ("%.1f s", MAX (seconds, 0));
  if (whole < 60)
    return g_strdup_printf ("%u s", (guint) whole);
  if (whole < 3600)
    return g_strdup_printf ("%u:%02u", (guint) (whole / 60), (guint) (whole % 60));
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02u:%02u", whole / 3600,
      (guint) (whole / 60 % 60), (guint) (whole % 60));
}

CliProgress *
cli_progress_new (void)
{
  CliProgress *self = g_new0 (CliProgress, 1);

  self->is_live = isatty (STDERR_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  self->is_colourful = cli_is_colourful (STDERR_FILENO);
  self->is_utf8 = g_get_charset (NULL);
  return self;
}

void
cli_progress_free (CliProgress *self)
{
  cli_progress_clear (self);
  g_free (self->stage);
  g_free (self);
}

/* Asked anew each time: people resize windows. */
static guint
get_columns (void)
{
  struct winsize size;

  return ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                          : DEFAULT_COLUMNS;
}

/**
 * cli_progress_clear:
 * @self: the progress
 *
 * Takes the live line off the terminal, so that something else can be printed; the next update
 * draws it again.
 */
void
cli_progress_clear (CliProgress *self)
{
  if (self->is_drawn)
    g_printerr ("\r\033[K");
  self->is_drawn = FALSE;
}

static gdouble
get_number (JsonObject *data, const gchar *name)
{
  JsonNode *node = json_object_get_member (data, name);

  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : 0;
}

static gchar *
make_bar (CliProgress *self, gdouble percent)
{
  GString *bar = g_string_new (NULL);
  guint full = (guint) (CLAMP (percent, 0, 100) / 100 * BAR_CELLS + 0.5);

  for (guint i = 0; i < BAR_CELLS; i++)
    g_string_append (bar, i < full ? (self->is_utf8 ? "█" : "#") : (self->is_utf8 ? "░" : "."));
  return g_string_free (bar, FALSE);
}

/* Joins as many of @parts as fit into the terminal's width, empty ones left out: a line that wraps
 * cannot be erased. */
static gchar *
fit (CliProgress *self, gchar **parts)
{
  GString *line = g_string_new (NULL);
  guint columns = get_columns ();
  guint used = 0;

  for (guint i = 0; parts[i]; i++) {
    guint length = (guint) g_utf8_strlen (parts[i], -1) + (i > 0 ? 2 : 0);

    if (*parts[i] == '\0')
      continue;
    /* The last column stays free: some terminals wrap when it is written. */
    if (used + length >= columns)
      break;
    if (i > 0)
      g_string_append (line, "  ");
    if (i == 0 && self->is_colourful)
      g_string_append_printf (line, "\033[1m%s\033[0m", parts[i]);
    else
      g_string_append (line, parts[i]);
    used += length;
  }
  return g_string_free (line, FALSE);
}

static void
draw (CliProgress *self, gchar **parts)
{
  g_autofree gchar *line = fit (self, parts);

  g_printerr ("\r%s\033[K", line);
  self->is_drawn = TRUE;
}

/**
 * cli_progress_begin:
 * @self: the progress
 * @stage: what is done from now on
 *
 * Ends the stage before, if there is one, and begins a line for this one.
 */
void
cli_progress_begin (CliProgress *self, const gchar *stage)
{
  gchar *parts[] = { (gchar *) stage, "…", NULL };

  if (g_strcmp0 (self->stage, stage) == 0)
    return;
  if (self->stage)
    cli_progress_end (self, NULL);
  g_free (self->stage);
  self->stage = g_strdup (stage);
  self->begun_us = self->plain_us = g_get_monotonic_time ();
  self->plain_percent = 0;
  if (!self->is_utf8)
    parts[1] = "...";
  if (self->is_live)
    draw (self, parts);
}

static void
print_plain (CliProgress *self, gdouble percent, gchar **parts)
{
  gint64 now_us = g_get_monotonic_time ();
  g_autofree gchar *line = NULL;

  if (percent < self->plain_percent + PLAIN_STEP_PERCENT
      && (now_us < self->plain_us + PLAIN_INTERVAL_US || percent <= self->plain_percent))
    return;
  self->plain_percent = PLAIN_STEP_PERCENT * (gdouble) (gint) (percent / PLAIN_STEP_PERCENT);
  self->plain_us = now_us;
  line = g_strjoinv ("  ", parts);
  g_printerr ("%s\n", line);
}

/**
 * cli_progress_update:
 * @self: the progress
 * @data: the data of a `job.progress` event
 *
 * Shows it.
 */
void
cli_progress_update (CliProgress *self, JsonObject *data)
{
  const gchar *stage = json_object_get_string_member_with_default (data, "stage", "rendering");
  gdouble percent = get_number (data, "percent");
  gdouble eta_s = get_number (data, "eta_s");
  g_autofree gchar *share = g_strdup_printf ("%3.0f %%", percent);
  g_autofree gchar *bar = make_bar (self, percent);
  g_autofree gchar *speed = g_strdup_printf ("%.1fx", get_number (data, "speed"));
  g_autofree gchar *fps = g_strdup_printf ("%.0f fps", get_number (data, "fps"));
  g_autofree gchar *left_time = cli_format_time (eta_s);
  g_autofree gchar *left = g_strdup_printf ("%s left", left_time);
  g_autofree gchar *frame = g_strdup_printf ("frame %.0f", get_number (data, "frame"));

  cli_progress_begin (self, stage);
  if (self->is_live) {
    /* What matters most comes first, so that a narrow terminal drops the rest. */
    gchar *parts[] = { self->stage, share, eta_s > 0 ? left : "", bar, fps, speed, frame, NULL };

    draw (self, parts);
  } else {
    gchar *parts[] = { self->stage, share, frame, fps, speed, eta_s > 0 ? left : NULL, NULL };

    print_plain (self, percent, parts);
  }
}

/**
 * cli_progress_end:
 * @self: the progress
 * @outcome: (nullable): what is left to read of the stage; %NULL leaves its name and time
 *
 * Ends the stage and its live line.
 */
void
cli_progress_end (CliProgress *self, const gchar *outcome)
{
  g_autofree gchar *time = NULL;

  if (self->stage == NULL)
    return;
  cli_progress_clear (self);
  time = cli_format_time ((gdouble) (g_get_monotonic_time () - self->begun_us) / G_USEC_PER_SEC);
  if (outcome)
    g_printerr ("%s  %s  %s\n", self->stage, outcome, time);
  else if (self->is_live)
    g_printerr ("%s  %s\n", self->stage, time);
  g_clear_pointer (&self->stage, g_free);
}
