/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a schema knows beyond right and wrong: defaults, the types that values should have, and what
 * was probably meant. */

#include "weft-schema-private.h"
#include "weft-json.h"

#include <string.h>

/* With @texts: text that came whole from a variable becomes a number or a truth value where the
 * rule wants one. */
static void
convert_text (const WeftRule *rule, JsonNode *node, GHashTable *texts)
{
  const gchar *text = weft_json_get_text (node);
  WeftTypes types = weft_rule_get_types (rule);
  g_autoptr (JsonNode) converted = NULL;

  if (text == NULL || !g_hash_table_contains (texts, node))
    return;
  if (strcmp (text, "true") == 0 || strcmp (text, "false") == 0)
    converted = json_node_init_boolean (json_node_alloc (), text[0] == 't');
  else
    converted = weft_json_number_from_text (text);
  if (converted == NULL || !(types & weft_rule_types_of (converted)))
    return;
  /* Where text is possible too, it stays text unless only the other reading is valid. */
  if ((types & WEFT_TYPES_STRING)
      && (weft_rule_is_valid (rule, node) || !weft_rule_is_valid (rule, converted)))
    return;
  if (weft_rule_types_of (converted) == WEFT_TYPES_BOOLEAN)
    json_node_set_boolean (node, json_node_get_boolean (converted));
  else if (json_node_get_value_type (converted) == G_TYPE_INT64)
    json_node_set_int (node, json_node_get_int (converted));
  else
    json_node_set_double (node, json_node_get_double (converted));
}

/* The default of @rule, or else of the rule it refers to. */
static JsonNode *
get_default (const WeftRule *rule)
{
  for (; rule != NULL; rule = rule->ref) {
    if (rule->default_value != NULL)
      return rule->default_value;
  }
  return NULL;
}

/* Walks the rules and the document side by side. Without @texts the defaults are filled in,
 * otherwise texts converted. */
static void
walk (const WeftRule *rule, JsonNode *node, GHashTable *texts)
{
  if (JSON_NODE_HOLDS_ARRAY (node) && rule->items != NULL) {
    JsonArray *array = json_node_get_array (node);

    for (guint i = 0; i < json_array_get_length (array); i++) {
      if (texts != NULL)
        convert_text (rule->items, json_array_get_element (array, i), texts);
      walk (rule->items, json_array_get_element (array, i), texts);
    }
  }
  for (guint i = 0;
       JSON_NODE_HOLDS_OBJECT (node) && rule->properties != NULL && i < rule->properties->len;
       i++) {
    const WeftProperty *property = &g_array_index (rule->properties, WeftProperty, i);
    JsonObject *object = json_node_get_object (node);
    JsonNode *member = json_object_get_member (object, property->name);
    JsonNode *value = get_default (property->rule);

    if (texts == NULL && member == NULL && value != NULL) {
      member = weft_json_copy (value);
      json_object_set_member (object, property->name, member);
    }
    if (member == NULL)
      continue;
    if (texts != NULL)
      convert_text (property->rule, member, texts);
    walk (property->rule, member, texts);
  }

  if (rule->ref != NULL)
    walk (rule->ref, node, texts);
  for (guint i = 0; rule->all_of != NULL && i < rule->all_of->len; i++)
    walk (g_ptr_array_index (rule->all_of, i), node, texts);
  if (rule->if_rule != NULL) {
    const WeftRule *next =
        weft_rule_is_valid (rule->if_rule, node) ? rule->then_rule : rule->else_rule;

    if (next != NULL)
      walk (next, node, texts);
  }
  if (rule->discriminator != NULL && JSON_NODE_HOLDS_OBJECT (node)) {
    const WeftRule *branch = weft_rule_get_branch (rule, node);

    if (branch != NULL)
      walk (branch, node, texts);
  } else if (rule->one_of != NULL) {
    for (guint i = 0; i < rule->one_of->len; i++) {
      const WeftRule *branch = g_ptr_array_index (rule->one_of, i);

      if (weft_rule_get_types (branch) & weft_rule_types_of (node))
        walk (branch, node, texts);
    }
  }
}

/*
 * weft_schema_fill_defaults:
 * @self: a schema
 * @root: a document that is valid; it is changed
 *
 * Adds every member that is missing and has a default.
 */
void
weft_schema_fill_defaults (WeftSchema *self, JsonNode *root)
{
  walk (self->root, root, NULL);
}

/*
 * weft_schema_convert_texts:
 * @self: a schema
 * @root: a document; it is changed
 * @texts: (element-type JsonNode JsonNode): a set of nodes of @root
 *
 * Turns those of @texts that hold a number or a truth value as text into one, where the schema
 * wants one.
 */
void
weft_schema_convert_texts (WeftSchema *self, JsonNode *root, GHashTable *texts)
{
  walk (self->root, root, texts);
}

/* The number of letters to insert, remove, replace or swap with their neighbour (Damerau's
 * distance, restricted), without regard to case and to `-` or `_`. */
static guint
get_distance (const gchar *a, gsize n_a, const gchar *b, gsize n_b)
{
  g_autofree guint *rows = g_new (guint, 3 * (n_b + 1));
  guint *before = rows, *above = rows + n_b + 1, *row = rows + 2 * (n_b + 1);

  for (gsize k = 0; k <= n_b; k++)
    above[k] = (guint) k;
  for (gsize i = 1; i <= n_a; i++) {
    guint *spare = before;

    row[0] = (guint) i;
    for (gsize k = 1; k <= n_b; k++) {
      gchar x = g_ascii_tolower (a[i - 1] == '_' ? '-' : a[i - 1]);
      gchar y = g_ascii_tolower (b[k - 1] == '_' ? '-' : b[k - 1]);

      row[k] = MIN (MIN (above[k], row[k - 1]) + 1, above[k - 1] + (x != y));
      if (i > 1 && k > 1 && x == g_ascii_tolower (b[k - 2]) && y == g_ascii_tolower (a[i - 2]))
        row[k] = MIN (row[k], before[k - 2] + 1);
    }
    before = above;
    above = row;
    row = spare;
  }
  return above[n_b];
}

/*
 * weft_schema_suggest:
 * @word: what was written
 * @candidates: (array length=n_candidates): what is possible
 *
 * Returns: (transfer full) (nullable): the candidate that was probably meant
 */
gchar *
weft_schema_suggest (const gchar *word, const gchar *const *candidates, gsize n_candidates)
{
  /* Longer words are not typed wrongly but something else; the bound keeps the search cheap. */
  const gsize max_length = 64;
  gsize length = strlen (word);
  const gchar *best = NULL;
  guint best_distance = G_MAXUINT;

  if (length == 0 || length > max_length)
    return NULL;
  for (gsize i = 0; i < n_candidates; i++) {
    gsize n = strlen (candidates[i]);
    guint distance, limit;

    if (n > max_length)
      continue;
    distance = get_distance (word, length, candidates[i], n);
    /* A third of the letters may be wrong, and never all of them. */
    limit = (guint) MAX (MIN (length, n) / 3, MIN (length, n) > 2 ? 1 : 0);
    if (distance <= limit && distance < best_distance) {
      best = candidates[i];
      best_distance = distance;
    }
  }
  return g_strdup (best);
}
