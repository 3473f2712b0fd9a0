/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-launch.h"

#include <string.h>

#include "weft-json.h"

struct _WeftLaunch {
  GPtrArray *tokens; /* (element-type utf8) */
};

WeftLaunch *
weft_launch_new (void)
{
  WeftLaunch *self = g_new0 (WeftLaunch, 1);

  self->tokens = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
weft_launch_free (WeftLaunch *self)
{
  g_ptr_array_unref (self->tokens);
  g_free (self);
}

void
weft_launch_link (WeftLaunch *self)
{
  g_ptr_array_add (self->tokens, g_strdup ("!"));
}

void
weft_launch_element (WeftLaunch *self, const gchar *factory, const gchar *name)
{
  g_ptr_array_add (self->tokens, g_strdup (factory));
  if (name)
    g_ptr_array_add (self->tokens, g_strdup_printf ("name=%s", name));
}

void
weft_launch_pad (WeftLaunch *self, const gchar *element, const gchar *pad)
{
  g_ptr_array_add (self->tokens, g_strdup_printf ("%s.%s", element, pad ? pad : ""));
}

void
weft_launch_caps (WeftLaunch *self, const gchar *caps)
{
  g_ptr_array_add (self->tokens, g_strdup (caps));
}

void
weft_launch_set_string (WeftLaunch *self, const gchar *property, const gchar *value)
{
  GString *token = g_string_new (property);

  /* The grammar of gst_parse_launch() takes a backslash before a quote and before itself
   * inside double quotes, and everything else as it is. */
  g_string_append (token, "=\"");
  for (const gchar *p = value; *p; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c (token, '\\');
    g_string_append_c (token, *p);
  }
  g_string_append_c (token, '"');
  g_ptr_array_add (self->tokens, g_string_free (token, FALSE));
}

void
weft_launch_set_uint (WeftLaunch *self, const gchar *property, guint64 value)
{
  g_ptr_array_add (self->tokens, g_strdup_printf ("%s=%" G_GUINT64_FORMAT, property, value));
}

void
weft_launch_set_boolean (WeftLaunch *self, const gchar *property, gboolean value)
{
  g_ptr_array_add (self->tokens, g_strdup_printf ("%s=%s", property, value ? "true" : "false"));
}

/* Sets a property whose value is a JSON document of its own. */
void
weft_launch_set_json (WeftLaunch *self, const gchar *property, JsonNode *value)
{
  g_autofree gchar *json = weft_json_to_text (value, FALSE);

  weft_launch_set_string (self, property, json);
}

/* Sets one property for each member: strings, numbers and booleans. */
void
weft_launch_set_object (WeftLaunch *self, JsonObject *properties)
{
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, properties);
  while (json_object_iter_next_ordered (&iter, &name, &value)) {
    switch (json_node_get_value_type (value)) {
      case G_TYPE_STRING:
        weft_launch_set_string (self, name, json_node_get_string (value));
        break;
      case G_TYPE_BOOLEAN:
        weft_launch_set_boolean (self, name, json_node_get_boolean (value));
        break;
      default: {
        g_autofree gchar *number = weft_json_to_text (value, FALSE);

        g_ptr_array_add (self->tokens, g_strdup_printf ("%s=%s", name, number));
        break;
      }
    }
  }
}

/* Returns: (transfer full): the description for gst_parse_launch() */
gchar *
weft_launch_to_parse (WeftLaunch *self)
{
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < self->tokens->len; i++) {
    if (i > 0)
      g_string_append_c (s, ' ');
    g_string_append (s, g_ptr_array_index (self->tokens, i));
  }
  return g_string_free (s, FALSE);
}

static gboolean
needs_quotes (const gchar *token)
{
  return token[strspn (token, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-=./:,+%@!")] != '\0';
}

/* Returns: (transfer full): the same tokens, quoted for a POSIX shell, in one line */
gchar *
weft_launch_to_shell (WeftLaunch *self)
{
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < self->tokens->len; i++) {
    const gchar *token = g_ptr_array_index (self->tokens, i);
    g_autofree gchar *quoted = needs_quotes (token) ? g_shell_quote (token) : g_strdup (token);

    if (i > 0)
      g_string_append_c (s, ' ');
    g_string_append (s, quoted);
  }
  return g_string_free (s, FALSE);
}
