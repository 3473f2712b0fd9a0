/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The strict reader of JSON: what it reads, what it refuses, and where it says the mistake is. */

#include <locale.h>
#include <math.h>
#include <string.h>

#include "../support/patience.h"
#include "weft-json.h"

static JsonNode *
parse (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = weft_json_parse (text, strlen (text), "a.json", &error);

  g_assert_no_error (error);
  g_assert_nonnull (node);
  return node;
}

static WeftProblem *
refuse_bytes (const gchar *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = weft_json_parse (data, length, "a.json", &error);
  GPtrArray *problems;

  g_assert_null (node);
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  problems = weft_error_get_problems (error);
  g_assert_cmpuint (problems->len, ==, 1);
  return weft_problem_copy (g_ptr_array_index (problems, 0));
}

static WeftProblem *
refuse (const gchar *text)
{
  return refuse_bytes (text, strlen (text));
}

static void
assert_contains (const gchar *text, const gchar *part)
{
  if (text == NULL || strstr (text, part) == NULL)
    g_error ("“%s” does not contain “%s”", text, part);
}

static void
test_reads_every_kind_of_value (void)
{
  g_autoptr (JsonNode) root = parse (
      " {\"a\":[null,true,false,0,-7,2.5,1e3,-0.0],\r\n\t\"b\":\"\\u00e9\\ud83c\\udf34\\/\\n\"} ");
  JsonArray *array = json_object_get_array_member (json_node_get_object (root), "a");

  g_assert_cmpuint (json_array_get_length (array), ==, 8);
  g_assert_true (json_array_get_null_element (array, 0));
  g_assert_true (json_array_get_boolean_element (array, 1));
  g_assert_false (json_array_get_boolean_element (array, 2));
  g_assert_cmpint (json_array_get_int_element (array, 4), ==, -7);
  g_assert_cmpfloat (json_array_get_double_element (array, 5), ==, 2.5);
  g_assert_cmpfloat (json_array_get_double_element (array, 6), ==, 1000.0);
  g_assert_true (signbit (json_array_get_double_element (array, 7)));
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (root), "b"), ==, "é🌴/\n");
}

static void
test_keeps_numbers_exact (void)
{
  static const struct {
    const gchar *text;
    GType type;
    const gchar *written;
  } numbers[] = {
    { "9223372036854775807", G_TYPE_INT64, "9223372036854775807" },
    { "-9223372036854775808", G_TYPE_INT64, "-9223372036854775808" },
    { "9223372036854775808", G_TYPE_DOUBLE, "9.22337203685478e+18" },
    { "0.1", G_TYPE_DOUBLE, "0.1" },
    { "0.30000000000000004", G_TYPE_DOUBLE, "0.30000000000000004" },
    { "1.7976931348623157e308", G_TYPE_DOUBLE, "1.7976931348623157e+308" },
    { "1e-400", G_TYPE_DOUBLE, "0" },
    { "-0", G_TYPE_INT64, "0" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_autoptr (JsonNode) node = parse (numbers[i].text);
    g_autofree gchar *written = weft_json_number_to_text (node);

    g_assert_cmpuint (json_node_get_value_type (node), ==, numbers[i].type);
    if (strcmp (numbers[i].text, "9223372036854775808") == 0)
      g_assert_cmpfloat (json_node_get_double (node), ==, 9223372036854775808.0);
    else
      g_assert_cmpstr (written, ==, numbers[i].written);
  }
}

/* A decimal comma in the user's language must not change how numbers are read and shown. */
static void
test_numbers_do_not_depend_on_the_language (void)
{
  g_autofree gchar *before = g_strdup (setlocale (LC_NUMERIC, NULL));
  g_autoptr (JsonNode) node = NULL;
  g_autofree gchar *text = NULL;

  if (setlocale (LC_NUMERIC, "de_DE.UTF-8") == NULL
      && setlocale (LC_NUMERIC, "fr_FR.UTF-8") == NULL) {
    g_test_skip ("no locale with a decimal comma is installed");
    return;
  }
  node = parse ("2.5");
  text = weft_json_number_to_text (node);
  setlocale (LC_NUMERIC, before);
  g_assert_cmpfloat (json_node_get_double (node), ==, 2.5);
  g_assert_cmpstr (text, ==, "2.5");
}

static void
test_names_line_column_and_byte (void)
{
  static const struct {
    const gchar *text;
    const gchar *place;
  } cases[] = {
    { "{\n  \"a\": 1,\n  \"b\": tru\n}", "line 3, column 8 (byte 19)" },
    { "{\r\n\"a\": 1,\r\n'", "line 3, column 1 (byte 12)" },
    { "[\"é🌴\", x]", "line 1, column 8 (byte 11)" },
    { "\xef\xbb\xbf{x}", "line 1, column 3 (byte 4)" },
    { "", "line 1, column 1 (byte 0)" },
    { "[1", "line 1, column 3 (byte 2)" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (WeftProblem) problem = refuse (cases[i].text);

    assert_contains (problem->message, "a.json, ");
    assert_contains (problem->message, cases[i].place);
    g_assert_nonnull (problem->hint);
  }
}

static void
test_names_the_bad_byte (void)
{
  static const gchar text[] = "{\n\"a\": \"b\xff\"}";
  g_autoptr (WeftProblem) problem = refuse (text);

  assert_contains (problem->message, "line 2, column 8 (byte 9)");
  assert_contains (problem->message, "0xff");
  assert_contains (problem->hint, "UTF-8");
}

static void
test_refuses_deep_nesting_at_once (void)
{
  const gsize n = 8 * 1024 * 1024;
  g_autofree gchar *text = g_malloc (n);
  g_autoptr (WeftProblem) arrays = NULL;
  g_autoptr (WeftProblem) objects = NULL;

  memset (text, '[', n);
  arrays = refuse_bytes (text, n);
  assert_contains (arrays->message, "64 levels");
  for (gsize i = 0; i + 5 <= n; i += 5)
    memcpy (text + i, "{\"a\":", 5);
  objects = refuse_bytes (text, n - n % 5);
  assert_contains (objects->message, "64 levels");
  g_assert_cmpuint (strlen (objects->pointer), ==, 2 * 64);
}

static void
test_refuses_what_is_too_large (void)
{
  const gsize n = WEFT_JSON_MAX_BYTES;
  g_autofree gchar *text = g_malloc (n + 1);
  g_autoptr (WeftProblem) bytes = NULL;
  g_autoptr (WeftProblem) values = NULL;
  g_autoptr (JsonNode) node = NULL;

  memset (text, ' ', n + 1);
  bytes = refuse_bytes (text, n + 1);
  assert_contains (bytes->message, "16777216");

  text[0] = text[n - 1] = '"';
  node = weft_json_parse (text, n, "a.json", NULL);
  g_assert_nonnull (node);
  g_assert_cmpuint (strlen (json_node_get_string (node)), ==, n - 2);

  text[0] = '[';
  for (gsize i = 1; i < n; i += 2)
    memcpy (text + i, "1,", MIN (2, n - i));
  values = refuse_bytes (text, n);
  assert_contains (values->message, "1000000 values");
}

static void
append_objects (GString *text, guint n_objects, guint n_members, gboolean collide)
{
  for (guint object = 0; object < n_objects; object++) {
    g_string_append (text, object == 0 ? "[{" : ",{");
    for (guint i = 0; i < n_members; i++) {
      g_string_append (text, i == 0 ? "\"" : ",\"");
      /* "Ez" and "FY" have the same value in g_str_hash(), and so have all words made of them. */
      for (guint bit = 0; bit < 10; bit++)
        g_string_append (text, !(i >> bit & 1) ? "FY" : collide ? "Ez" : "Gz");
      g_string_append (text, "\":0");
    }
    g_string_append_c (text, '}');
  }
  g_string_append_c (text, ']');
}

/* Names that collide in json-glib's hash table: each costs as many steps as there are names before
 * it. */
static void
test_names_that_collide_cost_little (void)
{
  g_autoptr (GString) bad = g_string_new (NULL);
  g_autoptr (GString) small = g_string_new (NULL);
  g_autoptr (GString) good = g_string_new (NULL);
  g_autoptr (WeftProblem) problem = NULL;
  g_autoptr (JsonNode) small_node = NULL;
  g_autoptr (JsonNode) good_node = NULL;
  gint64 began = g_get_monotonic_time ();

  append_objects (bad, 1, 1024, TRUE);
  problem = refuse (bad->str);
  assert_contains (problem->message, "slow");
  append_objects (small, 10000, 30, TRUE);
  small_node = weft_json_parse (small->str, small->len, "a.json", NULL);
  g_assert_nonnull (small_node);
  append_objects (good, 20, 1024, FALSE);
  good_node = weft_json_parse (good->str, good->len, "a.json", NULL);
  g_assert_nonnull (good_node);
  g_assert_cmpint (g_get_monotonic_time () - began, <, patience_us (20));
}

static void
test_pointers_are_escaped_and_lead_back (void)
{
  g_autoptr (JsonNode) root = parse ("{\"a/b\":{\"m~n\":[0,{\"\":5}]},\"~1\":7}");
  WeftJsonPath one = { NULL, "a/b", 0 }, two = { &one, "m~n", 0 }, three = { &two, NULL, 1 },
               four = { &three, "", 0 };
  g_autofree gchar *pointer = weft_json_path_to_pointer (&four);
  g_autofree gchar *nothing = weft_json_path_to_pointer (NULL);

  g_assert_cmpstr (pointer, ==, "/a~1b/m~0n/1/");
  g_assert_cmpstr (nothing, ==, "");
  g_assert_cmpint (json_node_get_int (weft_json_lookup (root, pointer)), ==, 5);
  g_assert_cmpint (json_node_get_int (weft_json_lookup (root, "/~01")), ==, 7);
  g_assert_true (weft_json_lookup (root, "") == root);
  g_assert_null (weft_json_lookup (root, "/a~1b/m~0n/2"));
  g_assert_null (weft_json_lookup (root, "/a~1b/m~0n/-"));
  g_assert_null (weft_json_lookup (root, "/a~1b/m~0n/1//x"));
  g_assert_null (weft_json_lookup (root, "a"));
}

static void
test_messages_cannot_write_control_sequences (void)
{
  g_autoptr (WeftProblem) problem = refuse ("{\"\\u001b[2J\":1,\"\\u001b[2J\":2}");
  g_autofree gchar *long_text = g_strnfill (1000, 'x');
  g_autofree gchar *quoted = weft_json_quote (long_text);
  g_autofree gchar *odd = weft_json_quote ("a\n\x1b\x7f\u202e\u00a0é");

  g_assert_null (strchr (problem->message, '\x1b'));
  assert_contains (problem->message, "\\u001b[2J");
  g_assert_cmpuint (strlen (quoted), <, 100);
  g_assert_cmpstr (odd, ==, "\"a\\n\\u001b\\u007f\\u202e\\u00a0é\"");
}

static void
test_a_copy_shares_nothing (void)
{
  g_autoptr (JsonNode) root = parse ("{\"a\":{\"b\":[1,{\"c\":2}]}}");
  g_autoptr (JsonNode) copy = weft_json_copy (root);

  json_object_set_int_member (
      json_array_get_object_element (
          json_object_get_array_member (
              json_object_get_object_member (json_node_get_object (copy), "a"), "b"),
          1),
      "c", 3);
  g_assert_cmpint (json_node_get_int (weft_json_lookup (root, "/a/b/1/c")), ==, 2);
  g_assert_cmpint (json_node_get_int (weft_json_lookup (copy, "/a/b/1/c")), ==, 3);
}

static void
assert_printed (const gchar *text, const gchar *expected)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  g_autofree gchar *printed = weft_json_to_text (node, FALSE);

  g_assert_cmpstr (printed, ==, expected);
}

static void
test_numbers_are_printed_as_people_write_them (void)
{
  assert_printed ("[0.4,2.4,0.1,1e300,1e-7,100000.5]", "[0.4,2.4,0.1,1e+300,1e-07,100000.5]");
  /* A double stays one, and what looks like a number in a text is none. */
  assert_printed (
      "[3.0,-0.0,3,-3,9223372036854775807,120.0]", "[3.0,-0.0,3,-3,9223372036854775807,120.0]");
  assert_printed (
      "{\"0.40000000000000002\":\"\\\"2.3999999999999999\\\\\",\"b\":0.40000000000000002}",
      "{\"0.40000000000000002\":\"\\\"2.3999999999999999\\\\\",\"b\":0.4}");
  assert_printed ("\"-1.50000000000000000\"", "\"-1.50000000000000000\"");
}

static void
test_what_is_printed_is_read_back_the_same (void)
{
  for (guint i = 0; i < 20000; i++) {
    union {
      guint64 bits;
      gdouble number;
    } any;
    g_autoptr (JsonNode) node = json_node_alloc (), back = NULL;
    g_autofree gchar *text = NULL;
    gdouble number;

    any.bits = (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
    /* Every second one is a decimal as people write them. */
    number = i % 2 ? any.number : g_test_rand_int_range (-100000, 100000) / 1000.0;
    if (!isfinite (number))
      continue;
    json_node_init_double (node, number);
    text = weft_json_to_text (node, TRUE);
    if (i % 2 == 0)
      g_assert_cmpuint (strlen (text), <=, strlen ("-100.000"));
    back = parse (text);
    g_assert_true (json_node_get_value_type (back) == G_TYPE_DOUBLE);
    g_assert_true (json_node_get_double (back) == number);
  }
}

static void
test_all_but_numbers_is_printed_as_json_glib_does (void)
{
  g_autoptr (JsonNode) node =
      parse ("{\"a\":[],\"b\":{},\"c\":[1,{\"x\":null,\"y\":true}],\"é\\n\":\"\\\"\\\\"
             "\\u0001/\\u2028\",\"d\":[[\"\"],[[]]]}");
  g_autofree gchar *ours = weft_json_to_text (node, TRUE), *theirs = json_to_string (node, TRUE);
  g_autofree gchar *ours_flat = weft_json_to_text (node, FALSE);
  g_autofree gchar *theirs_flat = json_to_string (node, FALSE);

  g_assert_cmpstr (ours, ==, theirs);
  g_assert_cmpstr (ours_flat, ==, theirs_flat);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/reads-every-kind-of-value", test_reads_every_kind_of_value);
  g_test_add_func ("/json/keeps-numbers-exact", test_keeps_numbers_exact);
  g_test_add_func (
      "/json/numbers-do-not-depend-on-the-language", test_numbers_do_not_depend_on_the_language);
  g_test_add_func ("/json/names-line-column-and-byte", test_names_line_column_and_byte);
  g_test_add_func ("/json/names-the-bad-byte", test_names_the_bad_byte);
  g_test_add_func ("/json/refuses-deep-nesting-at-once", test_refuses_deep_nesting_at_once);
  g_test_add_func ("/json/refuses-what-is-too-large", test_refuses_what_is_too_large);
  g_test_add_func ("/json/names-that-collide-cost-little", test_names_that_collide_cost_little);
  g_test_add_func (
      "/json/pointers-are-escaped-and-lead-back", test_pointers_are_escaped_and_lead_back);
  g_test_add_func ("/json/messages-cannot-write-control-sequences",
      test_messages_cannot_write_control_sequences);
  g_test_add_func ("/json/a-copy-shares-nothing", test_a_copy_shares_nothing);
  g_test_add_func ("/json/numbers-are-printed-as-people-write-them",
      test_numbers_are_printed_as_people_write_them);
  g_test_add_func (
      "/json/what-is-printed-is-read-back-the-same", test_what_is_printed_is_read_back_the_same);
  g_test_add_func ("/json/all-but-numbers-is-printed-as-json-glib-does",
      test_all_but_numbers_is_printed_as_json_glib_does);
  return g_test_run ();
}
