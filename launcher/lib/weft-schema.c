/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a JSON Schema (2020-12) into rules. Of the standard's keywords those are known that Weft's
 * schemas use; a schema with another one is refused when it is read, because a keyword that is
 * silently not checked would be a hole. */

#include "weft-schema-private.h"
#include "weft-json.h"

#include <math.h>
#include <string.h>

static void
weft_rule_free (WeftRule *rule)
{
  g_clear_pointer (&rule->all_of, g_ptr_array_unref);
  g_clear_pointer (&rule->any_of, g_ptr_array_unref);
  g_clear_pointer (&rule->one_of, g_ptr_array_unref);
  g_clear_pointer (&rule->properties, g_array_unref);
  g_clear_pointer (&rule->properties_by_name, g_hash_table_unref);
  g_clear_pointer (&rule->pattern, g_regex_unref);
  g_free (rule);
}

WeftSchema *
weft_schema_ref (WeftSchema *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
weft_schema_unref (WeftSchema *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->rules, g_hash_table_unref);
  g_clear_pointer (&self->document, json_node_unref);
  g_free (self->name);
  g_free (self);
}

typedef struct {
  WeftSchema *schema;
  GError **error;
} Loader;

static WeftRule *load_rule (Loader *loader, JsonNode *node, const WeftJsonPath *path);

static gboolean
refuse (Loader *loader, const WeftJsonPath *path, const gchar *message)
{
  g_autofree gchar *pointer = weft_json_path_to_pointer (path);

  weft_error_set_problem (loader->error, weft_problem_new (WEFT_ERROR_INTERNAL, NULL, NULL,
                                             "this is a defect of the schema, not of the job",
                                             "%s%s: %s", loader->schema->name, pointer, message));
  return FALSE;
}

static gboolean
load_types (Loader *loader, WeftRule *rule, JsonNode *node, const WeftJsonPath *path)
{
  static const struct {
    const gchar *name;
    WeftTypes types;
  } known[] = {
    { "null", WEFT_TYPES_NULL },
    { "boolean", WEFT_TYPES_BOOLEAN },
    { "object", WEFT_TYPES_OBJECT },
    { "array", WEFT_TYPES_ARRAY },
    { "number", WEFT_TYPES_NUMBER | WEFT_TYPES_INTEGER },
    { "integer", WEFT_TYPES_INTEGER },
    { "string", WEFT_TYPES_STRING },
  };
  guint n = JSON_NODE_HOLDS_ARRAY (node) ? json_array_get_length (json_node_get_array (node)) : 1;

  rule->types = 0;
  for (guint i = 0; i < n; i++) {
    JsonNode *one = JSON_NODE_HOLDS_ARRAY (node)
                        ? json_array_get_element (json_node_get_array (node), i)
                        : node;
    const gchar *name = weft_json_get_text (one);
    WeftTypes types = 0;

    for (guint k = 0; k < G_N_ELEMENTS (known); k++) {
      if (g_strcmp0 (name, known[k].name) == 0)
        types = known[k].types;
    }
    if (types == 0)
      return refuse (loader, path, "unknown type");
    rule->types |= types;
  }
  return TRUE;
}

static gboolean
load_rules (Loader *loader, GPtrArray **rules, JsonNode *node, const WeftJsonPath *path)
{
  WeftJsonPath here = { path, NULL, 0 };

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return refuse (loader, path, "must be a list of schemas");
  *rules = g_ptr_array_new ();
  for (; here.index < json_array_get_length (json_node_get_array (node)); here.index++) {
    WeftRule *rule =
        load_rule (loader, json_array_get_element (json_node_get_array (node), here.index), &here);

    if (rule == NULL)
      return FALSE;
    g_ptr_array_add (*rules, rule);
  }
  return TRUE;
}

static gboolean
load_properties (Loader *loader, WeftRule *rule, JsonNode *node, const WeftJsonPath *path)
{
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (loader, path, "must be an object of schemas");
  /* $defs comes through here too, with no rule: its schemas are only entered in the table. */
  if (rule != NULL) {
    rule->properties = g_array_new (FALSE, FALSE, sizeof (WeftProperty));
    rule->properties_by_name = g_hash_table_new (g_str_hash, g_str_equal);
  }
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &member)) {
    WeftJsonPath here = { path, name, 0 };
    WeftProperty property = { name, load_rule (loader, member, &here) };

    if (property.rule == NULL)
      return FALSE;
    if (rule != NULL) {
      g_array_append_val (rule->properties, property);
      g_hash_table_insert (rule->properties_by_name, (gpointer) name, property.rule);
    }
  }
  return TRUE;
}

static gboolean
is_list_of_texts (JsonNode *node)
{
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++) {
    if (weft_json_get_text (json_array_get_element (json_node_get_array (node), i)) == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
load_pattern (Loader *loader, WeftRule *rule, JsonNode *node, const WeftJsonPath *path)
{
  g_autoptr (GError) error = NULL;

  rule->pattern_text = weft_json_get_text (node);
  /* ECMA-262, which JSON Schema patterns follow, has no `$` before a final line break. */
  rule->pattern = g_regex_new (rule->pattern_text ? rule->pattern_text : "(",
      G_REGEX_DOLLAR_ENDONLY | G_REGEX_OPTIMIZE, 0, &error);
  return rule->pattern != NULL || refuse (loader, path, error->message);
}

static gboolean
load_number (Loader *loader, gdouble *number, JsonNode *node, const WeftJsonPath *path)
{
  if (!(weft_rule_types_of (node) & WEFT_TYPES_NUMBER))
    return refuse (loader, path, "must be a number");
  *number = json_node_get_double (node);
  return TRUE;
}

static gboolean
load_count (Loader *loader, gint64 *count, JsonNode *node, const WeftJsonPath *path)
{
  if (!(weft_rule_types_of (node) & WEFT_TYPES_INTEGER) || json_node_get_int (node) < 0)
    return refuse (loader, path, "must be a whole number that is not negative");
  *count = json_node_get_int (node);
  return TRUE;
}

static gboolean
load_keyword (
    Loader *loader, WeftRule *rule, const gchar *keyword, JsonNode *node, const WeftJsonPath *path)
{
  WeftJsonPath here = { path, keyword, 0 };
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;
  const struct {
    const gchar *keyword;
    WeftRule **rule;
  } single[] = {
    { "not", &rule->not_rule },
    { "if", &rule->if_rule },
    { "then", &rule->then_rule },
    { "else", &rule->else_rule },
    { "items", &rule->items },
    { "additionalProperties", &rule->additional_properties },
    { "propertyNames", &rule->property_names },
  };
  const struct {
    const gchar *keyword;
    GPtrArray **rules;
  } lists[] = { { "allOf", &rule->all_of }, { "anyOf", &rule->any_of },
    { "oneOf", &rule->one_of } };
  const struct {
    const gchar *keyword;
    gint64 *count;
  } counts[] = {
    { "minProperties", &rule->min_properties },
    { "maxProperties", &rule->max_properties },
    { "minItems", &rule->min_items },
    { "maxItems", &rule->max_items },
    { "minLength", &rule->min_length },
    { "maxLength", &rule->max_length },
  };
  const struct {
    const gchar *keyword;
    gdouble *number;
    gboolean *flag;
    gboolean *flag_too;
  } numbers[] = {
    { "minimum", &rule->minimum, &rule->has_minimum, NULL },
    { "exclusiveMinimum", &rule->minimum, &rule->has_minimum, &rule->exclusive_minimum },
    { "maximum", &rule->maximum, &rule->has_maximum, NULL },
    { "exclusiveMaximum", &rule->maximum, &rule->has_maximum, &rule->exclusive_maximum },
    { "multipleOf", &rule->multiple_of, NULL, NULL },
  };
  const struct {
    const gchar *keyword;
    const gchar **text;
  } texts[] = { { "title", &rule->title }, { "description", &rule->description },
    { "$ref", &rule->ref_pointer } };
  const struct {
    const gchar *keyword;
    JsonArray **list;
  } values[] = { { "enum", &rule->values }, { "examples", &rule->examples },
    { "required", &rule->required } };

  for (guint i = 0; i < G_N_ELEMENTS (single); i++) {
    if (strcmp (keyword, single[i].keyword) == 0) {
      *single[i].rule = load_rule (loader, node, &here);
      return *single[i].rule != NULL;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    if (strcmp (keyword, lists[i].keyword) == 0)
      return load_rules (loader, lists[i].rules, node, &here);
  }
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    if (strcmp (keyword, counts[i].keyword) == 0)
      return load_count (loader, counts[i].count, node, &here);
  }
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    if (strcmp (keyword, numbers[i].keyword) == 0) {
      if (numbers[i].flag != NULL && *numbers[i].flag)
        return refuse (loader, &here, "two limits on the same side");
      if (numbers[i].flag != NULL)
        *numbers[i].flag = TRUE;
      if (numbers[i].flag_too != NULL)
        *numbers[i].flag_too = TRUE;
      return load_number (loader, numbers[i].number, node, &here);
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (strcmp (keyword, texts[i].keyword) == 0) {
      *texts[i].text = weft_json_get_text (node);
      return *texts[i].text != NULL || refuse (loader, &here, "must be text");
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    if (strcmp (keyword, values[i].keyword) == 0) {
      if (!JSON_NODE_HOLDS_ARRAY (node))
        return refuse (loader, &here, "must be a list");
      *values[i].list = json_node_get_array (node);
      return values[i].list != &rule->required || is_list_of_texts (node)
             || refuse (loader, &here, "must be a list of texts");
    }
  }
  if (strcmp (keyword, "type") == 0)
    return load_types (loader, rule, node, &here);
  if (strcmp (keyword, "pattern") == 0)
    return load_pattern (loader, rule, node, &here);
  if (strcmp (keyword, "properties") == 0)
    return load_properties (loader, rule, node, &here);
  if (strcmp (keyword, "$defs") == 0)
    return load_properties (loader, NULL, node, &here);
  if (strcmp (keyword, "const") == 0) {
    rule->only_value = node;
    return TRUE;
  }
  if (strcmp (keyword, "default") == 0) {
    rule->default_value = node;
    return TRUE;
  }
  if (strcmp (keyword, "uniqueItems") == 0) {
    if (weft_rule_types_of (node) != WEFT_TYPES_BOOLEAN)
      return refuse (loader, &here, "must be true or false");
    rule->unique_items = json_node_get_boolean (node);
    return TRUE;
  }
  if (strcmp (keyword, "dependentRequired") == 0) {
    if (!JSON_NODE_HOLDS_OBJECT (node))
      return refuse (loader, &here, "must be an object");
    json_object_iter_init_ordered (&iter, json_node_get_object (node));
    while (json_object_iter_next_ordered (&iter, &name, &member)) {
      if (!is_list_of_texts (member))
        return refuse (loader, &here, "must be an object of lists of texts");
    }
    rule->dependent_required = json_node_get_object (node);
    return TRUE;
  }
  if (strcmp (keyword, "$schema") == 0 || strcmp (keyword, "$id") == 0
      || strcmp (keyword, "$comment") == 0)
    return TRUE;
  return refuse (loader, &here, "unknown keyword");
}

static WeftRule *
load_rule (Loader *loader, JsonNode *node, const WeftJsonPath *path)
{
  WeftRule *rule = g_new0 (WeftRule, 1);

  g_hash_table_insert (loader->schema->rules, weft_json_path_to_pointer (path), rule);
  rule->types = WEFT_TYPES_ANY;
  rule->min_properties = rule->max_properties = rule->min_items = rule->max_items = -1;
  rule->min_length = rule->max_length = -1;

  if (JSON_NODE_HOLDS_OBJECT (node)) {
    JsonObjectIter iter;
    const gchar *keyword;
    JsonNode *member;

    json_object_iter_init_ordered (&iter, json_node_get_object (node));
    while (json_object_iter_next_ordered (&iter, &keyword, &member)) {
      if (!load_keyword (loader, rule, keyword, member, path))
        return NULL;
    }
  } else if (weft_rule_types_of (node) == WEFT_TYPES_BOOLEAN) {
    rule->never = !json_node_get_boolean (node);
  } else {
    refuse (loader, path, "a schema is an object, true or false");
    return NULL;
  }
  return rule;
}

static gboolean
resolve_references (Loader *loader)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, loader->schema->rules);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    WeftRule *rule = value;

    if (rule->ref_pointer == NULL)
      continue;
    if (rule->ref_pointer[0] == '#')
      rule->ref = g_hash_table_lookup (loader->schema->rules, rule->ref_pointer + 1);
    if (rule->ref == NULL) {
      g_autofree gchar *message = g_strdup_printf ("$ref to nowhere: %s", rule->ref_pointer);

      return refuse (loader, NULL, message);
    }
  }
  return TRUE;
}

/* Rules that apply to the same value as @rule must not lead back to it: checking would never end.
 */
static gboolean
is_free_of_cycles (WeftRule *rule)
{
  enum { NEW, OPEN, DONE };
  GPtrArray *lists[] = { rule->all_of, rule->any_of, rule->one_of };
  WeftRule *rules[] = { rule->ref, rule->not_rule, rule->if_rule, rule->then_rule,
    rule->else_rule };

  if (rule->mark != NEW)
    return rule->mark == DONE;
  rule->mark = OPEN;
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    for (guint k = 0; lists[i] != NULL && k < lists[i]->len; k++) {
      if (!is_free_of_cycles (g_ptr_array_index (lists[i], k)))
        return FALSE;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++) {
    if (rules[i] != NULL && !is_free_of_cycles (rules[i]))
      return FALSE;
  }
  rule->mark = DONE;
  return TRUE;
}

static gboolean
branches_differ_by (const WeftRule *rule, const gchar *name)
{
  for (guint i = 0; i < rule->one_of->len; i++) {
    const WeftRule *member = weft_rule_get_property (g_ptr_array_index (rule->one_of, i), name);

    if (member == NULL || member->only_value == NULL
        || weft_json_get_text (member->only_value) == NULL)
      return FALSE;
  }
  return TRUE;
}

static void
find_discriminator (WeftRule *rule)
{
  const WeftRule *first;

  if (rule->one_of == NULL || rule->one_of->len == 0)
    return;
  first = weft_rule_resolve (g_ptr_array_index (rule->one_of, 0));
  for (guint i = 0; first->properties != NULL && i < first->properties->len; i++) {
    const gchar *name = g_array_index (first->properties, WeftProperty, i).name;

    if (branches_differ_by (rule, name)) {
      rule->discriminator = name;
      return;
    }
  }
}

static gboolean
finish_rules (Loader *loader)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, loader->schema->rules);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    if (!is_free_of_cycles (value))
      return refuse (loader, NULL, "a schema that refers to itself");
  }
  g_hash_table_iter_init (&iter, loader->schema->rules);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    find_discriminator (value);
  return TRUE;
}

/*
 * weft_schema_new_from_bytes:
 * @bytes: a JSON Schema, 2020-12
 * @name: what messages call it
 *
 * Returns: (transfer full): the schema; or %NULL with %WEFT_ERROR_INTERNAL if it is not JSON, uses
 * a keyword that is not known here, or refers to itself
 */
WeftSchema *
weft_schema_new_from_bytes (GBytes *bytes, const gchar *name, GError **error)
{
  g_autoptr (WeftSchema) self = g_new0 (WeftSchema, 1);
  Loader loader = { self, error };
  gsize length;
  const gchar *data = g_bytes_get_data (bytes, &length);

  g_atomic_ref_count_init (&self->ref_count);
  self->name = g_strdup (name);
  self->rules =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) weft_rule_free);
  self->document = weft_json_parse (data, length, name, error);
  if (self->document == NULL)
    return NULL;
  self->root = load_rule (&loader, self->document, NULL);
  if (self->root == NULL || !resolve_references (&loader) || !finish_rules (&loader))
    return NULL;
  return g_steal_pointer (&self);
}

/* The rule that @rule stands for, where it only refers to another one. */
const WeftRule *
weft_rule_resolve (const WeftRule *rule)
{
  while (rule->ref != NULL)
    rule = rule->ref;
  return rule;
}

/* The rule for the member @name, as it stands in @rule or in a rule that applies to the same value.
 */
const WeftRule *
weft_rule_get_property (const WeftRule *rule, const gchar *name)
{
  const WeftRule *found = NULL;

  if (rule->properties_by_name != NULL)
    found = g_hash_table_lookup (rule->properties_by_name, name);
  if (found == NULL && rule->ref != NULL)
    found = weft_rule_get_property (rule->ref, name);
  for (guint i = 0; found == NULL && rule->all_of != NULL && i < rule->all_of->len; i++)
    found = weft_rule_get_property (g_ptr_array_index (rule->all_of, i), name);
  return found;
}

/* The types a value may have. */
WeftTypes
weft_rule_get_types (const WeftRule *rule)
{
  WeftTypes types = rule->types;
  GPtrArray *unions[] = { rule->any_of, rule->one_of };

  if (rule->ref != NULL)
    types &= weft_rule_get_types (rule->ref);
  for (guint i = 0; rule->all_of != NULL && i < rule->all_of->len; i++)
    types &= weft_rule_get_types (g_ptr_array_index (rule->all_of, i));
  for (guint u = 0; u < G_N_ELEMENTS (unions); u++) {
    WeftTypes any = 0;

    if (unions[u] == NULL)
      continue;
    for (guint i = 0; i < unions[u]->len; i++)
      any |= weft_rule_get_types (g_ptr_array_index (unions[u], i));
    types &= any;
  }
  if (rule->only_value != NULL)
    types &= weft_rule_types_of (rule->only_value);
  if (rule->values != NULL) {
    WeftTypes any = 0;

    for (guint i = 0; i < json_array_get_length (rule->values); i++)
      any |= weft_rule_types_of (json_array_get_element (rule->values, i));
    types &= any;
  }
  return types;
}

/* The types that @node is of: a whole number is a number too, however it is written. */
WeftTypes
weft_rule_types_of (JsonNode *node)
{
  switch (json_node_get_node_type (node)) {
    case JSON_NODE_OBJECT:
      return WEFT_TYPES_OBJECT;
    case JSON_NODE_ARRAY:
      return WEFT_TYPES_ARRAY;
    case JSON_NODE_NULL:
      return WEFT_TYPES_NULL;
    case JSON_NODE_VALUE:
    default:
      break;
  }
  switch (json_node_get_value_type (node)) {
    case G_TYPE_STRING:
      return WEFT_TYPES_STRING;
    case G_TYPE_BOOLEAN:
      return WEFT_TYPES_BOOLEAN;
    case G_TYPE_INT64:
      return WEFT_TYPES_NUMBER | WEFT_TYPES_INTEGER;
    default: {
      gdouble number = json_node_get_double (node);

      if (floor (number) == number)
        return WEFT_TYPES_NUMBER | WEFT_TYPES_INTEGER;
      return WEFT_TYPES_NUMBER;
    }
  }
}

/* For a rule with a discriminator: the branch that @node, an object, belongs to. Where the member
 * is missing this is the branch that gives it a default. */
const WeftRule *
weft_rule_get_branch (const WeftRule *rule, JsonNode *node)
{
  JsonNode *member = json_object_get_member (json_node_get_object (node), rule->discriminator);
  const gchar *value = weft_json_get_text (member);

  if (member != NULL && value == NULL)
    return NULL;
  for (guint i = 0; i < rule->one_of->len; i++) {
    const WeftRule *branch = g_ptr_array_index (rule->one_of, i);
    const WeftRule *property = weft_rule_get_property (branch, rule->discriminator);

    if (member == NULL ? property->default_value != NULL
                       : strcmp (value, json_node_get_string (property->only_value)) == 0)
      return branch;
  }
  return NULL;
}
