/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What platforms take, from the `limits` of their presets. A limit that is crossed is warned of and
 * never refused, since platforms change their rules. */

#include "weft-limits.h"

#include "weft-json.h"

/*
 * weft_limits_cross:
 * @limits: the limits of one platform
 * @name: one of them; `min…` is a least, anything else a most
 * @limit: (out): the limit
 *
 * Returns: whether @value is beyond it
 */
gboolean
weft_limits_cross (JsonObject *limits, const gchar *name, gdouble value, gdouble *limit)
{
  *limit = json_object_get_double_member_with_default (limits, name, 0);
  if (!json_object_has_member (limits, name))
    return FALSE;
  return g_str_has_prefix (name, "min") ? value < *limit : value > *limit;
}

const gchar *
weft_limits_get_platform (JsonObject *limits)
{
  const gchar *platform = weft_json_get_member_text (limits, "platform");

  return platform != NULL ? platform : "the platform";
}

/* Returns: (transfer full): where the limits come from, and when they were read */
gchar *
weft_limits_dup_source (JsonObject *limits)
{
  const gchar *checked = weft_json_get_member_text (limits, "checked");
  const gchar *source = weft_json_get_member_text (limits, "source");

  return g_strdup_printf ("as of %s, see %s", checked != NULL ? checked : "an unknown date",
      source != NULL ? source : "its rules");
}

/*
 * weft_limits_check:
 * @unit: what @value counts, such as "seconds"
 * @pointer: the place in the job that decides @value
 *
 * Returns: (transfer full) (nullable): a warning if @value is beyond the limit @name
 */
WeftProblem *
weft_limits_check (
    JsonObject *limits, const gchar *name, const gchar *unit, gdouble value, const gchar *pointer)
{
  g_autofree gchar *hint = NULL;
  WeftProblem *problem;
  gdouble limit;

  if (!weft_limits_cross (limits, name, value, &limit))
    return NULL;
  hint = weft_limits_dup_source (limits);
  problem = weft_problem_new (WEFT_ERROR_INVALID_JOB, pointer, NULL, hint,
      "%s takes at %s %.9g %s, and this has %.9g", weft_limits_get_platform (limits),
      g_str_has_prefix (name, "min") ? "least" : "most", limit, unit, value);
  problem->is_warning = TRUE;
  return problem;
}
