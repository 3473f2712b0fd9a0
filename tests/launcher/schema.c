/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The schema validator: which keywords it knows, what it reports and what it fills in. */

#include <string.h>

#include "weft-json.h"
#include "weft-schema.h"

static WeftSchema *
load (const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (GError) error = NULL;
  WeftSchema *schema = weft_schema_new_from_bytes (bytes, "s.json", &error);

  g_assert_no_error (error);
  return schema;
}

static JsonNode *
parse (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = weft_json_parse (text, strlen (text), "a.json", &error);

  g_assert_no_error (error);
  return node;
}

static GPtrArray *
validate (const gchar *schema_text, const gchar *text)
{
  g_autoptr (WeftSchema) schema = load (schema_text);
  g_autoptr (JsonNode) root = parse (text);
  GPtrArray *problems = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
  gboolean valid = weft_schema_validate (schema, root, problems);

  g_assert_cmpint (valid, ==, problems->len == 0);
  return problems;
}

/* Each keyword with a value that is valid and one that is not, and what is said of the latter. */
static void
test_checks_each_keyword (void)
{
  static const struct {
    const gchar *schema;
    const gchar *valid;
    const gchar *invalid;
    const gchar *message;
  } cases[] = {
    { "true", "1", NULL, NULL },
    { "{\"not\":{}}", NULL, "1", "has what it must not have" },
    { "{\"type\":\"string\"}", "\"a\"", "1", "must be text, not 1" },
    { "{\"type\":\"integer\"}", "2.0", "2.5", "must be a whole number, not 2.5" },
    { "{\"type\":\"number\"}", "1", "\"1\"", "must be a number, not \"1\"" },
    { "{\"type\":\"boolean\"}", "false", "null", "must be true or false, not null" },
    { "{\"type\":\"null\"}", "null", "0", "must be null, not 0" },
    { "{\"type\":\"array\"}", "[]", "{}", "must be a list, not an object" },
    { "{\"type\":[\"object\",\"string\"]}", "{}", "[]", "must be text or an object, not a list" },
    { "{\"enum\":[1,\"a\",[2]]}", "[2]", "2", "2 is not 1, \"a\" or a list" },
    { "{\"enum\":[1]}", "1.0", "true", "must be a number, not true" },
    { "{\"const\":{\"a\":1}}", "{\"a\":1}", "{\"a\":2}", "must be an object, not an object" },
    { "{\"minimum\":2}", "2", "1.5", "1.5 is too small; the least is 2" },
    { "{\"exclusiveMinimum\":0}", "0.1", "0", "0 is too small; the least is above 0" },
    { "{\"maximum\":2}", "2", "3", "3 is too large; the most is 2" },
    { "{\"exclusiveMaximum\":2}", "1.9", "2", "2 is too large; the most is below 2" },
    { "{\"multipleOf\":0.1}", "0.3", "0.35", "0.35 is not a multiple of 0.1" },
    { "{\"minLength\":2}", "\"é🌴\"", "\"🌴\"", "must have at least 2 characters, not 1" },
    { "{\"minLength\":1}", "\"a\"", "\"\"", "must not be empty" },
    { "{\"maxLength\":2}", "\"🌴🌴\"", "\"abc\"", "must have at most 2 characters, not 3" },
    { "{\"pattern\":\"^a+$\"}", "\"aa\"", "\"aa\\n\"", "\"aa\\n\" does not have the form ^a+$" },
    { "{\"pattern\":\"b\"}", "\"abc\"", "\"acd\"", "does not have the form b" },
    { "{\"pattern\":\"^a+$\",\"title\":\"some a\"}", "\"a\"", "\"b\"", "\"b\" is not some a" },
    { "{\"items\":{\"type\":\"string\"}}", "[\"a\"]", "[1]", "must be text, not 1" },
    { "{\"minItems\":1}", "[1]", "[]", "must not be empty" },
    { "{\"maxItems\":1}", "[1]", "[1,2]", "must have at most 1 elements, not 2" },
    { "{\"uniqueItems\":true,\"maxItems\":9}", "[1,\"1\"]", "[{\"a\":1},{\"a\":1}]",
        "an object stands here twice" },
    { "{\"required\":[\"a\"]}", "{\"a\":1}", "{}", "`a` is missing" },
    { "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"b\":1}", "{\"a\":1}", "`a` without `b`" },
    { "{\"properties\":{\"a\":{\"type\":\"null\"}}}", "{\"b\":1}", "{\"a\":1}",
        "must be null, not 1" },
    { "{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1}", "{\"b\":1}",
        "unknown member \"b\"" },
    { "{\"additionalProperties\":{\"type\":\"null\"}}", "{\"b\":null}", "{\"b\":1}",
        "must be null, not 1" },
    { "{\"propertyNames\":{\"maxLength\":1}}", "{\"b\":null}", "{\"bb\":1}",
        "must have at most 1 characters" },
    { "{\"minProperties\":1}", "{\"b\":null}", "{}", "must not be empty" },
    { "{\"maxProperties\":1}", "{\"b\":null}", "{\"a\":1,\"b\":1}",
        "must have at most 1 members, not 2" },
    { "{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "1", "3", "3 is too large" },
    { "{\"anyOf\":[{\"minimum\":5},{\"maximum\":2}]}", "1", "3", "3 is too small" },
    { "{\"oneOf\":[{\"minimum\":2},{\"maximum\":5}]}", "1", "3", "means more than one thing" },
    { "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "null", "3",
        "must be text or null, not 3" },
    { "{\"not\":{\"required\":[\"a\",\"b\"],\"description\":\"both\"}}", "{\"a\":1}",
        "{\"a\":1,\"b\":2}", "has both" },
    { "{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"required\":["
      "\"c\"]}}",
        "{\"c\":1}", "{\"a\":1}", "`b` is missing" },
    { "{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"required\":["
      "\"c\"]}}",
        "{\"a\":1,\"b\":1}", "{}", "`c` is missing" },
    { "{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"null\"}}}", "null", "1",
        "must be null, not 1" },
    { "{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"}", "[[],[[]]]", "[[],[1]]",
        "must be a list, not 1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    if (cases[i].valid != NULL) {
      g_autoptr (GPtrArray) problems = validate (cases[i].schema, cases[i].valid);

      if (problems->len > 0)
        g_error ("%s refuses %s: %s", cases[i].schema, cases[i].valid,
            ((WeftProblem *) g_ptr_array_index (problems, 0))->message);
    }
    if (cases[i].invalid != NULL) {
      g_autoptr (GPtrArray) problems = validate (cases[i].schema, cases[i].invalid);
      const WeftProblem *problem;

      if (problems->len != 1)
        g_error ("%s finds %u problems in %s", cases[i].schema, problems->len, cases[i].invalid);
      problem = g_ptr_array_index (problems, 0);
      if (strstr (problem->message, cases[i].message) == NULL)
        g_error ("%s says of %s: %s", cases[i].schema, cases[i].invalid, problem->message);
      g_assert_nonnull (problem->hint);
    }
  }
}

static void
test_refuses_schemas_it_cannot_check (void)
{
  static const struct {
    const gchar *schema;
    const gchar *message;
  } cases[] = {
    { "{\"properties\":{\"a\":{\"contains\":1}}}",
        "s.json/properties/a/contains: unknown keyword" },
    { "{\"minimun\":1}", "unknown keyword" },
    { "{\"type\":\"float\"}", "unknown type" },
    { "{\"pattern\":\"(\"}", "s.json/pattern" },
    { "{\"$ref\":\"#/$defs/none\"}", "#/$defs/none" },
    { "{\"$ref\":\"other.json\"}", "other.json" },
    { "{\"$ref\":\"#\"}", "refers to itself" },
    { "{\"allOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"not\":{\"$ref\":\"#\"}}}}",
        "refers to itself" },
    { "{\"minimum\":1,\"exclusiveMinimum\":1}", "two limits" },
    { "{\"minLength\":-1}", "not negative" },
    { "{\"required\":\"a\"}", "must be a list" },
    { "{\"required\":[1]}", "must be a list of texts" },
    { "{\"dependentRequired\":{\"a\":\"b\"}}", "must be an object of lists" },
    { "5", "a schema is" },
    { "{", "line 1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (cases[i].schema, strlen (cases[i].schema));
    g_autoptr (GError) error = NULL;

    g_assert_null (weft_schema_new_from_bytes (bytes, "s.json", &error));
    g_assert_nonnull (error);
    if (strstr (error->message, cases[i].message) == NULL)
      g_error ("of %s it is said: %s", cases[i].schema, error->message);
  }
}

static const gchar shapes[] =
    "{\"oneOf\":[{\"type\":\"object\",\"required\":[\"type\",\"r\"],\"additionalProperties\":false,"
    "\"properties\":{\"type\":{\"const\":\"circle\"},\"r\":{\"type\":\"number\"}}},"
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"properties\":{\"type\":{\"const\":\"square\",\"default\":\"square\"},\"side\":{\"type\":"
    "\"number\",\"default\":1}}}]}";

/* With a union the problems must be those of the branch that was meant. */
static void
test_a_type_chooses_the_branch (void)
{
  static const struct {
    const gchar *text;
    const gchar *pointer;
    const gchar *message;
    const gchar *hint;
  } cases[] = {
    { "{\"type\":\"circle\"}", "", "`r` is missing", "" },
    { "{\"type\":\"circle\",\"r\":\"1\"}", "/r", "must be a number", "1 without quotes" },
    { "{\"type\":\"circle\",\"r\":1,\"side\":1}", "/side", "unknown member",
        "\"type\": \"square\"" },
    { "{\"side\":\"x\"}", "/side", "must be a number", "" },
    { "{\"type\":\"circel\"}", "/type", "\"circel\" is not \"circle\" or \"square\"",
        "\"circle\"" },
    { "{\"type\":5}", "/type", "5 is not", "" },
    { "[]", "", "must be an object", "" },
  };
  g_autoptr (GPtrArray) none = validate (shapes, "{\"side\":2}");

  g_assert_cmpuint (none->len, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray) problems = validate (shapes, cases[i].text);
    const WeftProblem *problem = g_ptr_array_index (problems, 0);

    g_assert_cmpuint (problems->len, ==, 1);
    g_assert_cmpstr (problem->pointer, ==, cases[i].pointer);
    g_assert_nonnull (strstr (problem->message, cases[i].message));
    g_assert_nonnull (strstr (problem->hint, cases[i].hint));
  }
}

static void
test_reports_all_problems_up_to_a_limit (void)
{
  g_autoptr (GString) text = g_string_new ("[");
  g_autoptr (GPtrArray) three =
      validate ("{\"items\":{\"type\":\"string\"}}", "[1,\"a\",2,{\"b\":3}]");
  g_autoptr (GPtrArray) many = NULL;

  g_assert_cmpuint (three->len, ==, 3);
  g_assert_cmpstr (((WeftProblem *) g_ptr_array_index (three, 2))->pointer, ==, "/3");
  for (guint i = 0; i < 500; i++)
    g_string_append (text, i == 0 ? "1" : ",1");
  g_string_append_c (text, ']');
  many = validate ("{\"items\":{\"type\":\"string\"}}", text->str);
  g_assert_cmpuint (many->len, ==, WEFT_SCHEMA_MAX_PROBLEMS);
}

static void
test_fills_in_defaults (void)
{
  static const struct {
    const gchar *schema;
    const gchar *text;
    const gchar *filled;
  } cases[] = {
    { "{\"properties\":{\"a\":{\"default\":1},\"b\":{\"default\":2}}}", "{\"b\":5}",
        "{\"b\":5,\"a\":1}" },
    { "{\"properties\":{\"a\":{\"default\":{},\"properties\":{\"b\":{\"default\":[3]}}}}}", "{}",
        "{\"a\":{\"b\":[3]}}" },
    { "{\"items\":{\"$ref\":\"#/$defs/"
      "o\"},\"$defs\":{\"o\":{\"properties\":{\"a\":{\"default\":true}}}}}",
        "[{},{\"a\":false}]", "[{\"a\":true},{\"a\":false}]" },
    { "{\"if\":{\"required\":[\"x\"]},\"else\":{\"properties\":{\"y\":{\"default\":1}}}}", "{}",
        "{\"y\":1}" },
    { "{\"if\":{\"required\":[\"x\"]},\"else\":{\"properties\":{\"y\":{\"default\":1}}}}",
        "{\"x\":0}", "{\"x\":0}" },
    { "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/n\"}},\"$defs\":{\"n\":{\"default\":7}}}", "{}",
        "{\"a\":7}" },
    { shapes, "{}", "{\"type\":\"square\",\"side\":1}" },
    { shapes, "{\"type\":\"circle\",\"r\":1}", "{\"type\":\"circle\",\"r\":1}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (WeftSchema) schema = load (cases[i].schema);
    g_autoptr (JsonNode) root = parse (cases[i].text);
    g_autofree gchar *filled = NULL;

    weft_schema_fill_defaults (schema, root);
    filled = json_to_string (root, FALSE);
    g_assert_cmpstr (filled, ==, cases[i].filled);
  }
}

/* Two places with the same default must not share it. */
static void
test_defaults_are_not_shared (void)
{
  g_autoptr (WeftSchema) schema = load ("{\"items\":{\"properties\":{\"a\":{\"default\":{},"
                                        "\"properties\":{\"b\":{\"default\":0}}}}}}");
  g_autoptr (JsonNode) root = parse ("[{},{}]");
  g_autoptr (JsonNode) again = parse ("[{}]");

  weft_schema_fill_defaults (schema, root);
  json_object_set_int_member (json_node_get_object (weft_json_lookup (root, "/0/a")), "b", 5);
  g_assert_cmpint (json_node_get_int (weft_json_lookup (root, "/1/a/b")), ==, 0);
  weft_schema_fill_defaults (schema, again);
  g_assert_cmpint (json_node_get_int (weft_json_lookup (again, "/0/a/b")), ==, 0);
}

static void
test_suggests_what_was_meant (void)
{
  static const gchar *const words[] = { "font", "fit", "on_error", "contain-blur", "h264", "id" };
  static const struct {
    const gchar *word;
    const gchar *meant;
  } cases[] = {
    { "fnt", "font" },
    { "fnot", "font" },
    { "Font", "font" },
    { "onError", "on_error" },
    { "on-error", "on_error" },
    { "contain_blurr", "contain-blur" },
    { "h265", "h264" },
    { "x", NULL },
    { "ab", NULL },
    { "completely", NULL },
    { "", NULL },
  };
  g_autofree gchar *long_word = g_strnfill (10000, 'f');

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *found = weft_schema_suggest (cases[i].word, words, G_N_ELEMENTS (words));

    g_assert_cmpstr (found, ==, cases[i].meant);
  }
  g_assert_null (weft_schema_suggest (long_word, words, G_N_ELEMENTS (words)));
}

/* Everything in the schema of jobs is described, since it is the reference that users read. */
static void
assert_described (JsonNode *node, const gchar *place)
{
  JsonObject *object = json_node_get_object (node);
  JsonObject *properties = weft_json_get_member_object (object, "properties");
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;

  if (properties != NULL) {
    json_object_iter_init_ordered (&iter, properties);
    while (json_object_iter_next_ordered (&iter, &name, &member)) {
      g_autofree gchar *here = g_strconcat (place, "/", name, NULL);
      JsonObject *rule = json_node_get_object (member);

      if (!json_object_has_member (rule, "description") && !json_object_has_member (rule, "$ref")
          && !json_object_has_member (rule, "default"))
        g_error ("%s has no description", here);
      assert_described (member, here);
    }
  }
}

static void
test_the_job_schema_is_described (void)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("WEFT_DATA_DIR"), "job.schema.json", NULL);
  g_autofree gchar *text = NULL;
  g_autoptr (WeftSchema) schema = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  schema = load (text);
  root = parse (text);
  assert_described (root, "");
  json_object_iter_init_ordered (
      &iter, json_object_get_object_member (json_node_get_object (root), "$defs"));
  while (json_object_iter_next_ordered (&iter, &name, &member)) {
    if (!json_object_has_member (json_node_get_object (member), "description")
        && !json_object_has_member (json_node_get_object (member), "title")
        && !json_object_has_member (json_node_get_object (member), "allOf"))
      g_error ("%s has no description", name);
    assert_described (member, name);
  }
}

/* The guide has a line for every member. */
static void
assert_in_guide (JsonNode *node, const gchar *guide)
{
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;
  JsonObject *properties;

  if (JSON_NODE_HOLDS_ARRAY (node)) {
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      assert_in_guide (json_array_get_element (json_node_get_array (node), i), guide);
  }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return;
  properties = weft_json_get_member_object (json_node_get_object (node), "properties");
  if (properties != NULL) {
    json_object_iter_init_ordered (&iter, properties);
    while (json_object_iter_next_ordered (&iter, &name, &member)) {
      g_autofree gchar *line = g_strdup_printf ("\n| `%s` | ", name);
      JsonNode *description = json_object_get_member (json_node_get_object (member), "description");

      /* What switches an analysis on has a table of its own, and no line. */
      if (weft_json_get_member_object (json_node_get_object (member), "properties") == NULL
          && !(
              json_object_has_member (json_node_get_object (member), "$ref") && description == NULL)
          && strstr (guide, line) == NULL)
        g_error ("docs/guide/job.md has no line for `%s`", name);
      if (description != NULL && strstr (guide, json_node_get_string (description)) == NULL
          && weft_json_get_member_object (json_node_get_object (member), "properties") == NULL)
        g_error ("docs/guide/job.md says something else of `%s` than “%s”", name,
            json_node_get_string (description));
    }
  }
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &member))
    assert_in_guide (member, guide);
}

static void
test_the_guide_has_every_member (void)
{
  g_autofree gchar *schema_path =
      g_build_filename (g_getenv ("WEFT_DATA_DIR"), "job.schema.json", NULL);
  g_autofree gchar *guide_path =
      g_build_filename (g_getenv ("WEFT_SOURCE_ROOT"), "docs", "guide", "job.md", NULL);
  g_autofree gchar *schema = NULL;
  g_autofree gchar *guide = NULL;
  g_autoptr (JsonNode) root = NULL;

  g_assert_true (g_file_get_contents (schema_path, &schema, NULL, NULL));
  g_assert_true (g_file_get_contents (guide_path, &guide, NULL, NULL));
  root = parse (schema);
  assert_in_guide (root, guide);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/schema/checks-each-keyword", test_checks_each_keyword);
  g_test_add_func ("/schema/refuses-schemas-it-cannot-check", test_refuses_schemas_it_cannot_check);
  g_test_add_func ("/schema/a-type-chooses-the-branch", test_a_type_chooses_the_branch);
  g_test_add_func (
      "/schema/reports-all-problems-up-to-a-limit", test_reports_all_problems_up_to_a_limit);
  g_test_add_func ("/schema/fills-in-defaults", test_fills_in_defaults);
  g_test_add_func ("/schema/defaults-are-not-shared", test_defaults_are_not_shared);
  g_test_add_func ("/schema/suggests-what-was-meant", test_suggests_what_was_meant);
  g_test_add_func ("/schema/the-job-schema-is-described", test_the_job_schema_is_described);
  g_test_add_func ("/schema/the-guide-has-every-member", test_the_guide_has_every_member);
  return g_test_run ();
}
