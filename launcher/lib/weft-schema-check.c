/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checks a document against the rules of a schema, and says what is wrong so that its author can
 * mend it: every problem, each at its own place, and for a union those of the branch that was
 * meant. */

#include "weft-schema-private.h"
#include "weft-json.h"

#include <math.h>
#include <string.h>

typedef struct {
  GPtrArray *problems;
  guint limit;
} Check;

static void check (Check *self, const WeftRule *rule, const WeftRule *outer, JsonNode *node,
    const WeftJsonPath *path);

static gboolean
is_full (const Check *self)
{
  return self->problems->len >= self->limit;
}

static void report (Check *self, const WeftJsonPath *path, gchar *hint, const gchar *format, ...)
    G_GNUC_PRINTF (4, 5);

/* Notes a problem; takes @hint, which may be NULL. */
static void
report (Check *self, const WeftJsonPath *path, gchar *hint, const gchar *format, ...)
{
  g_autofree gchar *owned_hint = hint;
  g_autofree gchar *pointer = NULL;
  g_autofree gchar *message = NULL;
  va_list args;

  if (is_full (self))
    return;
  pointer = weft_json_path_to_pointer (path);
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (self->problems,
      weft_problem_new (WEFT_ERROR_INVALID_JOB, pointer, NULL,
          owned_hint != NULL ? owned_hint : "`weft schema` prints what is possible here", "%s",
          message));
}

gboolean
weft_rule_is_valid (const WeftRule *rule, JsonNode *node)
{
  g_autoptr (GPtrArray) problems =
      g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
  Check self = { problems, 1 };

  check (&self, rule, rule, node, NULL);
  return problems->len == 0;
}

/* What the rule calls a value, such as "a time"; the place that refers to a rule may say it better
 * than the rule. */
static const gchar *
get_title (const WeftRule *rule)
{
  for (; rule != NULL; rule = rule->ref) {
    if (rule->title != NULL)
      return rule->title;
  }
  return NULL;
}

static const gchar *
get_description (const WeftRule *rule)
{
  const gchar *found = NULL;

  for (; found == NULL && rule != NULL; rule = rule->ref) {
    found = rule->description;
    for (guint i = 0; found == NULL && rule->all_of != NULL && i < rule->all_of->len; i++)
      found = get_description (g_ptr_array_index (rule->all_of, i));
  }
  return found;
}

static gchar *
get_first_sentence (const gchar *text)
{
  const gchar *end = text != NULL ? strstr (text, ". ") : NULL;

  if (text == NULL)
    return NULL;
  if (end != NULL)
    return g_strndup (text, (gsize) (end - text));
  return g_strndup (text, strlen (text) - (g_str_has_suffix (text, ".") ? 1 : 0));
}

static gchar *
show_value (JsonNode *node)
{
  const gchar *text = weft_json_get_text (node);

  if (text != NULL)
    return weft_json_quote (text);
  if (weft_rule_types_of (node) & WEFT_TYPES_NUMBER)
    return weft_json_number_to_text (node);
  if (weft_rule_types_of (node) & WEFT_TYPES_BOOLEAN)
    return g_strdup (json_node_get_boolean (node) ? "true" : "false");
  return g_strdup (weft_json_describe (node));
}

static gchar *
show_values (JsonArray *values, const gchar *last_separator)
{
  GString *s = g_string_new (NULL);
  guint n = json_array_get_length (values);

  for (guint i = 0; i < n; i++) {
    g_autofree gchar *value = show_value (json_array_get_element (values, i));

    g_string_append_printf (s, "%s%s", i == 0 ? "" : i + 1 == n ? last_separator : ", ", value);
  }
  return g_string_free (s, FALSE);
}

/* A hint that holds whatever is wrong with the value: examples, or what the value means. */
static gchar *
hint_for (const WeftRule *outer)
{
  for (const WeftRule *rule = outer; rule != NULL; rule = rule->ref) {
    if (rule->examples != NULL) {
      g_autofree gchar *examples = show_values (rule->examples, " or ");

      return g_strdup_printf ("for example %s", examples);
    }
  }
  return get_first_sentence (get_description (outer));
}

static void
check_type (
    Check *self, const WeftRule *outer, WeftTypes types, JsonNode *node, const WeftJsonPath *path)
{
  static const struct {
    WeftTypes types;
    const gchar *name;
  } names[] = {
    { WEFT_TYPES_STRING, "text" },
    { WEFT_TYPES_NUMBER, "a number" },
    { WEFT_TYPES_INTEGER, "a whole number" },
    { WEFT_TYPES_BOOLEAN, "true or false" },
    { WEFT_TYPES_ARRAY, "a list" },
    { WEFT_TYPES_OBJECT, "an object" },
    { WEFT_TYPES_NULL, "null" },
  };
  const gchar *title = get_title (outer);
  const gchar *text = weft_json_get_text (node);
  WeftTypes actual = weft_rule_types_of (node);
  g_autofree gchar *is = show_value (node);
  g_autoptr (JsonNode) number = text != NULL ? weft_json_number_from_text (text) : NULL;
  g_autoptr (GString) expected = g_string_new (title);
  gchar *hint = NULL;

  for (guint i = 0; title == NULL && i < G_N_ELEMENTS (names); i++) {
    if (!(types & names[i].types)
        || (names[i].types == WEFT_TYPES_INTEGER && (types & WEFT_TYPES_NUMBER)))
      continue;
    g_string_append_printf (expected, "%s%s", expected->len > 0 ? " or " : "", names[i].name);
  }

  if (number != NULL && (types & weft_rule_types_of (number)))
    hint = g_strdup_printf ("write %s without quotes", text);
  else if (text != NULL && (types & WEFT_TYPES_BOOLEAN)
           && (strcmp (text, "true") == 0 || strcmp (text, "false") == 0))
    hint = g_strdup_printf ("write %s without quotes", text);
  else if (actual == WEFT_TYPES_NULL)
    hint = g_strdup ("leave the member out where it has no value");
  else if ((types & WEFT_TYPES_STRING) && (actual & WEFT_TYPES_NUMBER))
    hint = g_strdup ("put it in double quotes");
  else if ((types & WEFT_TYPES_ARRAY) && actual != WEFT_TYPES_ARRAY)
    hint = g_strdup ("put it in [ ], even where there is only one");
  else
    hint = hint_for (outer);
  report (self, path, hint, "must be %s, not %s", expected->str, is);
}

static void
check_values (Check *self, const WeftRule *rule, const WeftRule *outer, JsonNode *node,
    const WeftJsonPath *path)
{
  const gchar *text = weft_json_get_text (node);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autofree gchar *is = NULL;
  g_autofree gchar *allowed = NULL;
  g_autofree gchar *suggestion = NULL;

  for (guint i = 0; i < json_array_get_length (rule->values); i++) {
    JsonNode *value = json_array_get_element (rule->values, i);

    if (json_node_equal (value, node)
        || ((weft_rule_types_of (value) & weft_rule_types_of (node) & WEFT_TYPES_NUMBER)
            && json_node_get_double (value) == json_node_get_double (node)))
      return;
    if (weft_json_get_text (value) != NULL)
      g_ptr_array_add (words, (gpointer) weft_json_get_text (value));
  }
  is = show_value (node);
  allowed = show_values (rule->values, " or ");
  if (text != NULL)
    suggestion = weft_schema_suggest (text, (const gchar *const *) words->pdata, words->len);
  report (self, path,
      suggestion != NULL ? g_strdup_printf ("did you mean \"%s\"?", suggestion)
                         : get_first_sentence (get_description (outer)),
      "%s is not %s", is, allowed);
}

static void
check_text (Check *self, const WeftRule *rule, const WeftRule *outer, JsonNode *node,
    const WeftJsonPath *path)
{
  const gchar *text = json_node_get_string (node);
  const gchar *title = get_title (outer);
  glong length = rule->min_length >= 0 || rule->max_length >= 0 ? g_utf8_strlen (text, -1) : 0;
  g_autofree gchar *is = NULL;

  if (rule->min_length >= 0 && length < rule->min_length) {
    if (length == 0)
      report (self, path, hint_for (outer), "must not be empty");
    else
      report (self, path, hint_for (outer),
          "must have at least %" G_GINT64_FORMAT " characters, not %ld", rule->min_length, length);
    return;
  }
  if (rule->max_length >= 0 && length > rule->max_length) {
    report (self, path, g_strdup ("shorten it"),
        "must have at most %" G_GINT64_FORMAT " characters, not %ld", rule->max_length, length);
    return;
  }
  if (rule->pattern == NULL || g_regex_match (rule->pattern, text, 0, NULL))
    return;
  is = weft_json_quote (text);
  if (title != NULL)
    report (self, path, hint_for (outer), "%s is not %s", is, title);
  else
    report (self, path, hint_for (outer), "%s does not have the form %s", is, rule->pattern_text);
}

static void
check_number (Check *self, const WeftRule *rule, const WeftRule *outer, JsonNode *node,
    const WeftJsonPath *path)
{
  gdouble number = json_node_get_double (node);
  const gchar *title = get_title (outer);
  g_autofree gchar *is = weft_json_number_to_text (node);
  gboolean too_small =
      rule->has_minimum
      && (rule->exclusive_minimum ? number <= rule->minimum : number < rule->minimum);
  gboolean too_large =
      rule->has_maximum
      && (rule->exclusive_maximum ? number >= rule->maximum : number > rule->maximum);

  if (too_small || too_large) {
    g_autoptr (JsonNode) bound =
        json_node_init_double (json_node_alloc (), too_small ? rule->minimum : rule->maximum);
    g_autofree gchar *limit = weft_json_number_to_text (bound);
    gboolean exclusive = too_small ? rule->exclusive_minimum : rule->exclusive_maximum;

    report (self, path, title != NULL ? g_strdup_printf ("write %s", title) : hint_for (outer),
        "%s is too %s; the %s is %s%s", is, too_small ? "small" : "large",
        too_small ? "least" : "most", exclusive ? (too_small ? "above " : "below ") : "", limit);
    return;
  }
  /* The tolerance lets decimal fractions through that have no exact double. */
  if (rule->multiple_of > 0) {
    gdouble n = number / rule->multiple_of;

    if (fabs (n - round (n)) > 1e-9)
      report (self, path,
          g_strdup_printf ("%.15g or %.15g would do", floor (n) * rule->multiple_of,
              ceil (n) * rule->multiple_of),
          "%s is not a multiple of %.15g", is, rule->multiple_of);
  }
}

static void
check_array (Check *self, const WeftRule *rule, const WeftRule *outer, JsonNode *node,
    const WeftJsonPath *path)
{
  JsonArray *array = json_node_get_array (node);
  guint n = json_array_get_length (array);
  WeftJsonPath here = { path, NULL, 0 };

  if (rule->min_items >= 0 && n < rule->min_items)
    report (self, path, get_first_sentence (get_description (outer)),
        rule->min_items == 1 ? "must not be empty"
                             : "must have at least %" G_GINT64_FORMAT " elements",
        rule->min_items);
  if (rule->max_items >= 0 && n > rule->max_items) {
    report (self, path, g_strdup ("use fewer"),
        "must have at most %" G_GINT64_FORMAT " elements, not %u", rule->max_items, n);
    return;
  }
  for (; rule->items != NULL && here.index < n && !is_full (self); here.index++)
    check (self, rule->items, rule->items, json_array_get_element (array, here.index), &here);
  /* Quadratic, so only where the length is bounded. */
  for (guint i = 1; rule->unique_items && rule->max_items >= 0 && i < n; i++) {
    for (guint k = 0; k < i; k++) {
      if (json_node_equal (json_array_get_element (array, i), json_array_get_element (array, k))) {
        g_autofree gchar *is = show_value (json_array_get_element (array, i));

        here.index = i;
        report (self, &here, g_strdup ("keep one of them"), "%s stands here twice", is);
        break;
      }
    }
  }
}

/* The names that the object may have, in the order of the schema. */
static GPtrArray *
get_names (const WeftRule *rule)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; rule->properties != NULL && i < rule->properties->len; i++)
    g_ptr_array_add (names, (gpointer) g_array_index (rule->properties, WeftProperty, i).name);
  return names;
}

/* What people write who know another tool. The second is suggested only where it exists. */
static const gchar *
find_synonym (const WeftRule *rule, const gchar *name)
{
  static const struct {
    const gchar *name;
    const gchar *meant;
  } synonyms[] = {
    { "url", "src" },
    { "uri", "src" },
    { "url", "uri" },
    { "src", "uri" },
    { "path", "src" },
    { "path", "uri" },
    { "file", "src" },
    { "file", "uri" },
    { "source", "src" },
    { "output", "outputs" },
    { "begin", "start" },
    { "from", "start" },
    { "to", "end" },
    { "stop", "end" },
    { "start", "in" },
    { "end", "out" },
    { "framerate", "fps" },
    { "frame_rate", "fps" },
    { "resolution", "width" },
    { "size", "width" },
    { "crf", "quality" },
    { "preset", "speed" },
    { "content", "text" },
    { "title", "text" },
    { "time", "at" },
    { "fontsize", "font" },
    { "samplerate", "rate" },
    { "sample_rate", "rate" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (synonyms); i++) {
    if (g_ascii_strcasecmp (name, synonyms[i].name) == 0 && rule->properties_by_name != NULL
        && g_hash_table_contains (rule->properties_by_name, synonyms[i].meant))
      return synonyms[i].meant;
  }
  return NULL;
}

/* Looks for an object beside the unknown member that would know it: {"color": …} belongs into
 * `font`. */
static const gchar *
find_home (const WeftRule *rule, const gchar *name)
{
  for (guint i = 0; rule->properties != NULL && i < rule->properties->len; i++) {
    const WeftProperty *property = &g_array_index (rule->properties, WeftProperty, i);

    if ((weft_rule_get_types (property->rule) & WEFT_TYPES_OBJECT)
        && weft_rule_get_property (property->rule, name) != NULL)
      return property->name;
  }
  return NULL;
}

/* @outer is the union that @rule is a branch of, where it is one. */
static gchar *
hint_for_unknown (const WeftRule *rule, const WeftRule *outer, const gchar *name)
{
  g_autoptr (GPtrArray) names = get_names (rule);
  g_autofree gchar *suggestion =
      weft_schema_suggest (name, (const gchar *const *) names->pdata, names->len);
  const WeftRule *union_rule = weft_rule_resolve (outer);
  const gchar *found = find_home (rule, name);
  g_autofree gchar *list = NULL;

  if (found != NULL)
    return g_strdup_printf ("`%s` belongs into `%s`", name, found);
  for (guint i = 0; union_rule->discriminator != NULL && i < union_rule->one_of->len; i++) {
    const WeftRule *branch = g_ptr_array_index (union_rule->one_of, i);

    if (weft_rule_get_property (branch, name) != NULL) {
      const WeftRule *type = weft_rule_get_property (branch, union_rule->discriminator);

      return g_strdup_printf ("`%s` belongs to \"%s\": \"%s\"", name, union_rule->discriminator,
          json_node_get_string (type->only_value));
    }
  }
  if (suggestion != NULL)
    return g_strdup_printf ("did you mean `%s`?", suggestion);
  found = find_synonym (rule, name);
  if (found != NULL)
    return g_strdup_printf ("did you mean `%s`?", found);
  g_ptr_array_add (names, NULL);
  list = g_strjoinv (", ", (gchar **) names->pdata);
  return g_strdup_printf ("possible here: %s", list);
}

static void
check_required (Check *self, const WeftRule *rule, JsonObject *object, const WeftJsonPath *path)
{
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *wants;

  for (guint i = 0; rule->required != NULL && i < json_array_get_length (rule->required); i++) {
    const gchar *wanted = json_array_get_string_element (rule->required, i);

    if (!json_object_has_member (object, wanted)) {
      const WeftRule *property = weft_rule_get_property (rule, wanted);

      report (self, path, property != NULL ? get_first_sentence (get_description (property)) : NULL,
          "`%s` is missing", wanted);
    }
  }
  if (rule->dependent_required == NULL)
    return;
  json_object_iter_init_ordered (&iter, rule->dependent_required);
  while (json_object_iter_next_ordered (&iter, &name, &wants)) {
    JsonArray *list = json_node_get_array (wants);

    for (guint i = 0; json_object_has_member (object, name) && i < json_array_get_length (list);
         i++) {
      const gchar *wanted = json_array_get_string_element (list, i);

      if (!json_object_has_member (object, wanted))
        report (
            self, path, g_strdup_printf ("add `%s`", wanted), "`%s` without `%s`", name, wanted);
    }
  }
}

static void
check_object (Check *self, const WeftRule *rule, const WeftRule *outer, JsonNode *node,
    const WeftJsonPath *path)
{
  JsonObject *object = json_node_get_object (node);
  guint size = json_object_get_size (object);
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;

  if (rule->min_properties >= 0 && size < rule->min_properties)
    report (self, path, get_first_sentence (get_description (outer)), "must not be empty");
  if (rule->max_properties >= 0 && size > rule->max_properties)
    report (self, path, g_strdup ("use fewer"),
        "must have at most %" G_GINT64_FORMAT " members, not %u", rule->max_properties, size);
  check_required (self, rule, object, path);

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &member) && !is_full (self)) {
    WeftJsonPath here = { path, name, 0 };
    const WeftRule *property = rule->properties_by_name != NULL
                                   ? g_hash_table_lookup (rule->properties_by_name, name)
                                   : NULL;

    if (rule->property_names != NULL) {
      g_autoptr (JsonNode) text = json_node_init_string (json_node_alloc (), name);

      check (self, rule->property_names, rule->property_names, text, &here);
    }
    if (property != NULL) {
      check (self, property, property, member, &here);
    } else if (rule->additional_properties != NULL && rule->additional_properties->never) {
      g_autofree gchar *quoted = weft_json_quote (name);

      report (self, &here, hint_for_unknown (rule, outer, name), "unknown member %s", quoted);
    } else if (rule->additional_properties != NULL) {
      check (self, rule->additional_properties, rule->additional_properties, member, &here);
    }
  }
}

static void
check_discriminated (Check *self, const WeftRule *rule, JsonNode *node, const WeftJsonPath *path)
{
  const WeftRule *branch = weft_rule_get_branch (rule, node);
  JsonObject *object = json_node_get_object (node);
  WeftJsonPath here = { path, rule->discriminator, 0 };
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GString) allowed = g_string_new (NULL);
  g_autofree gchar *suggestion = NULL;
  g_autofree gchar *is = NULL;
  const gchar *text;

  if (branch != NULL) {
    check (self, branch, rule, node, path);
    return;
  }
  for (guint i = 0; i < rule->one_of->len; i++) {
    const WeftRule *type =
        weft_rule_get_property (g_ptr_array_index (rule->one_of, i), rule->discriminator);
    const gchar *word = json_node_get_string (type->only_value);

    g_ptr_array_add (words, (gpointer) word);
    g_string_append_printf (allowed, "%s\"%s\"",
        i == 0                       ? ""
        : i + 1 == rule->one_of->len ? " or "
                                     : ", ",
        word);
  }
  if (!json_object_has_member (object, rule->discriminator)) {
    report (self, path, g_strdup_printf ("add \"%s\": %s", rule->discriminator, allowed->str),
        "`%s` is missing", rule->discriminator);
    return;
  }
  is = show_value (json_object_get_member (object, rule->discriminator));
  text = weft_json_get_member_text (object, rule->discriminator);
  if (text != NULL)
    suggestion = weft_schema_suggest (text, (const gchar *const *) words->pdata, words->len);
  report (self, &here,
      suggestion != NULL ? g_strdup_printf ("did you mean \"%s\"?", suggestion)
                         : get_first_sentence (get_description (rule)),
      "%s is not %s", is, allowed->str);
}

/* A union without a discriminator. The branches that fit the value's type are tried; if none fits,
 * the problems of the one that came closest are the ones that help. */
static void
check_union (Check *self, GPtrArray *branches, gboolean only_one, const WeftRule *outer,
    JsonNode *node, const WeftJsonPath *path)
{
  g_autoptr (GPtrArray) best = NULL;
  guint n_valid = 0;

  for (guint i = 0; i < branches->len; i++) {
    const WeftRule *branch = g_ptr_array_index (branches, i);
    g_autoptr (GPtrArray) problems =
        g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
    Check attempt = { problems, self->limit };

    if (!(weft_rule_get_types (branch) & weft_rule_types_of (node)))
      continue;
    check (&attempt, branch, outer, node, path);
    if (problems->len == 0) {
      n_valid++;
      if (!only_one)
        return;
    } else if (best == NULL || problems->len < best->len) {
      g_clear_pointer (&best, g_ptr_array_unref);
      best = g_steal_pointer (&problems);
    }
  }
  if (n_valid == 1)
    return;
  if (n_valid > 1) {
    report (self, path, hint_for (outer), "means more than one thing");
    return;
  }
  for (guint i = 0; best != NULL && i < best->len && !is_full (self); i++)
    g_ptr_array_add (self->problems, weft_problem_copy (g_ptr_array_index (best, i)));
}

/* Checks @node against @rule. @outer is the rule by which the value was reached; it has the words
 * that describe the value, where @rule is one of those it refers to. */
static void
check (Check *self, const WeftRule *rule, const WeftRule *outer, JsonNode *node,
    const WeftJsonPath *path)
{
  WeftTypes types = weft_rule_get_types (rule);
  WeftTypes actual = weft_rule_types_of (node);

  if (is_full (self))
    return;
  if (rule->never) {
    report (self, path, g_strdup ("remove it"), "is not allowed here");
    return;
  }
  if (!(types & actual)) {
    check_type (self, outer, types, node, path);
    return;
  }
  if (rule->only_value != NULL && !json_node_equal (rule->only_value, node)) {
    g_autofree gchar *wanted = show_value (rule->only_value);
    g_autofree gchar *is = show_value (node);

    report (self, path, hint_for (outer), "must be %s, not %s", wanted, is);
  }
  if (rule->values != NULL)
    check_values (self, rule, outer, node, path);
  if (actual & WEFT_TYPES_STRING)
    check_text (self, rule, outer, node, path);
  else if (actual & WEFT_TYPES_NUMBER)
    check_number (self, rule, outer, node, path);
  else if (actual & WEFT_TYPES_ARRAY)
    check_array (self, rule, outer, node, path);
  else if (actual & WEFT_TYPES_OBJECT)
    check_object (self, rule, outer, node, path);

  if (rule->ref != NULL)
    check (self, rule->ref, outer, node, path);
  for (guint i = 0; rule->all_of != NULL && i < rule->all_of->len; i++)
    check (self, g_ptr_array_index (rule->all_of, i), outer, node, path);
  if (rule->if_rule != NULL) {
    const WeftRule *next =
        weft_rule_is_valid (rule->if_rule, node) ? rule->then_rule : rule->else_rule;

    if (next != NULL)
      check (self, next, outer, node, path);
  }
  if (rule->not_rule != NULL && weft_rule_is_valid (rule->not_rule, node))
    report (self, path, g_strdup ("keep one of them"), "has %s",
        rule->not_rule->description != NULL ? rule->not_rule->description
                                            : "what it must not have");
  if (rule->any_of != NULL)
    check_union (self, rule->any_of, FALSE, outer, node, path);
  if (rule->one_of != NULL) {
    if (rule->discriminator != NULL && (actual & WEFT_TYPES_OBJECT))
      check_discriminated (self, rule, node, path);
    else
      check_union (self, rule->one_of, TRUE, outer, node, path);
  }
}

/*
 * weft_schema_validate:
 * @self: a schema
 * @root: a document
 * @problems: (element-type WeftProblem): where problems are added
 *
 * Checks all of @root. At most %WEFT_SCHEMA_MAX_PROBLEMS are reported.
 *
 * Returns: %TRUE if nothing is wrong
 */
gboolean
weft_schema_validate (WeftSchema *self, JsonNode *root, GPtrArray *problems)
{
  guint n_before = problems->len;
  Check state = { problems, n_before + WEFT_SCHEMA_MAX_PROBLEMS };

  check (&state, self->root, self->root, root, NULL);
  return problems->len == n_before;
}
