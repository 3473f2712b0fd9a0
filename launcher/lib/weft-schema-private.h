/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-schema.h"

G_BEGIN_DECLS

typedef enum {
  WEFT_TYPES_NULL = 1 << 0,
  WEFT_TYPES_BOOLEAN = 1 << 1,
  WEFT_TYPES_OBJECT = 1 << 2,
  WEFT_TYPES_ARRAY = 1 << 3,
  WEFT_TYPES_NUMBER = 1 << 4,
  WEFT_TYPES_INTEGER = 1 << 5,
  WEFT_TYPES_STRING = 1 << 6,
  WEFT_TYPES_ANY = (1 << 7) - 1,
} WeftTypes;

typedef struct _WeftRule WeftRule;
typedef struct _WeftProperty WeftProperty;

struct _WeftProperty {
  const gchar *name;
  WeftRule *rule;
};

/* One schema object (JSON Schema 2020-12, Core 4.3). All strings and nodes belong to the schema's
 * document, all rules to the schema's table, so that a rule owns nothing but its arrays. */
struct _WeftRule {
  gboolean never; /* the schema `false` */
  const gchar *title;
  const gchar *description;
  JsonNode *default_value;
  JsonArray *examples;

  WeftTypes types;
  JsonArray *values;    /* enum */
  JsonNode *only_value; /* const */

  WeftRule *ref;
  const gchar *ref_pointer; /* until it is resolved */
  GPtrArray *all_of;        /* (element-type WeftRule) */
  GPtrArray *any_of;
  GPtrArray *one_of;
  WeftRule *not_rule;
  WeftRule *if_rule;
  WeftRule *then_rule;
  WeftRule *else_rule;
  /* The member whose constant value tells the branches of one_of apart; NULL if there is none. */
  const gchar *discriminator;

  GArray *properties; /* (element-type WeftProperty), in the order of the document */
  GHashTable *properties_by_name;
  WeftRule *additional_properties;
  WeftRule *property_names;
  JsonArray *required;
  JsonObject *dependent_required;
  gint64 min_properties, max_properties; /* -1: no limit; so below */

  WeftRule *items;
  gint64 min_items, max_items;
  gboolean unique_items;

  gint64 min_length, max_length; /* in characters */
  GRegex *pattern;
  const gchar *pattern_text;

  gboolean has_minimum, has_maximum, exclusive_minimum, exclusive_maximum;
  gdouble minimum, maximum;
  gdouble multiple_of; /* 0: none */

  guint mark; /* used while cycles are looked for */
};

struct _WeftSchema {
  gatomicrefcount ref_count;
  JsonNode *document;
  gchar *name;
  GHashTable *rules; /* JSON Pointer in the document → WeftRule */
  WeftRule *root;
};

const WeftRule *weft_rule_resolve (const WeftRule *rule);
const WeftRule *weft_rule_get_property (const WeftRule *rule, const gchar *name);
WeftTypes weft_rule_get_types (const WeftRule *rule);
WeftTypes weft_rule_types_of (JsonNode *node);
const WeftRule *weft_rule_get_branch (const WeftRule *rule, JsonNode *node);
gboolean weft_rule_is_valid (const WeftRule *rule, JsonNode *node);

G_END_DECLS
