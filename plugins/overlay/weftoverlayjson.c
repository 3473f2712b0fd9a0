/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON from outside: looked through before json-glib builds its tree, so that neither its depth nor
 * its size is up to whoever wrote the text. */

#include "weftoverlayjson.h"

/* Above all bounds json-glib's recursion: it goes one call deeper with every bracket. The grammar
 * of a timeline needs seven. */
#define MAX_DEPTH 32

static gboolean
check_shape (const gchar *json, gsize length, const gchar *what, guint max_values, GError **error)
{
  guint depth = 0, n_values = 0;
  gboolean in_string = FALSE, has_ended = FALSE;

  for (gsize i = 0; i < length; i++) {
    if (depth == 0 && !g_ascii_isspace (json[i])
        && (has_ended || (json[i] != '{' && json[i] != '['))) {
      /* Of several values json-glib would read all, and lose all but one. */
      weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, NULL,
          "%s is not a JSON object or array: something is outside of its brackets", what);
      return FALSE;
    }
    if (in_string) {
      if (json[i] == '\\')
        i++;
      else if (json[i] == '"')
        in_string = FALSE;
    } else if (json[i] == '"') {
      in_string = TRUE;
    } else if (json[i] == ',') {
      n_values++;
    } else if (json[i] == '[' || json[i] == '{') {
      n_values++;
      if (++depth > MAX_DEPTH) {
        weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, NULL,
            "%s is nested more than %d levels deep", what, MAX_DEPTH);
        return FALSE;
      }
    } else if ((json[i] == ']' || json[i] == '}') && depth > 0) {
      has_ended = --depth == 0;
    }
  }
  if (n_values <= max_values)
    return TRUE;
  weft_overlay_set_error (
      error, WEFT_OVERLAY_ERROR_TOO_LARGE, NULL, "%s has more than %u values", what, max_values);
  return FALSE;
}

/**
 * weft_overlay_json_parse:
 * @what: names the text in messages: "the timeline"
 * @max_values: so many objects, arrays and members are too many; each takes some 200 bytes
 *
 * Returns: (transfer full) (nullable): the root
 */
JsonNode *
weft_overlay_json_parse (
    const gchar *json, gsize length, const gchar *what, guint max_values, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) json_error = NULL;

  if (!g_utf8_validate (json, (gssize) length, NULL)) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, NULL, "%s is not valid UTF-8", what);
    return NULL;
  }
  if (!check_shape (json, length, what, max_values, error))
    return NULL;
  if (!json_parser_load_from_data (parser, json, (gssize) length, &json_error)) {
    /* json-glib may quote a single byte of a character. */
    g_autofree gchar *reason = g_utf8_make_valid (json_error->message, -1);
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, NULL, "%s is not JSON: %s", what, reason);
    return NULL;
  }
  JsonNode *root = json_parser_steal_root (parser);
  if (root == NULL)
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, NULL, "%s is empty", what);
  return root;
}
