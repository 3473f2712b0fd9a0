/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* A launch line under construction: the tokens of gst-launch-1.0's grammar in their order.
 * Joined with spaces they are what gst_parse_launch() reads; quoted for a shell they are
 * what a person can paste behind `gst-launch-1.0`. */
typedef struct _WeftLaunch WeftLaunch;

WeftLaunch *weft_launch_new (void);
void weft_launch_free (WeftLaunch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftLaunch, weft_launch_free)

void weft_launch_element (WeftLaunch *self, const gchar *factory, const gchar *name);
void weft_launch_pad (WeftLaunch *self, const gchar *element, const gchar *pad);
void weft_launch_caps (WeftLaunch *self, const gchar *caps);
void weft_launch_link (WeftLaunch *self);

void weft_launch_set_string (WeftLaunch *self, const gchar *property, const gchar *value);
void weft_launch_set_uint (WeftLaunch *self, const gchar *property, guint64 value);
void weft_launch_set_boolean (WeftLaunch *self, const gchar *property, gboolean value);
void weft_launch_set_json (WeftLaunch *self, const gchar *property, JsonNode *value);
void weft_launch_set_object (WeftLaunch *self, JsonObject *properties);

gchar *weft_launch_to_parse (WeftLaunch *self);
gchar *weft_launch_to_shell (WeftLaunch *self);

G_END_DECLS
