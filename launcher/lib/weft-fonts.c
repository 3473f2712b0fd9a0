/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-fonts.h"

#include <string.h>

#ifdef HAVE_FONTCONFIG

#include <fontconfig/fontconfig.h>

/* What CSS and Pango call generic: fontconfig always has something for them, and whatever that is,
 * it is what was asked for. */
static const gchar *const generic_families[] = { "sans", "sans-serif", "sans serif", "serif",
  "monospace", "mono", "system-ui", "ui-sans-serif", "ui-serif", "ui-monospace", "cursive",
  "fantasy", "emoji", "math", NULL };

/* fontconfig compares names without case and blanks. */
static gboolean
is_same_family (const gchar *a, const gchar *b)
{
  return FcStrCmpIgnoreCase ((const FcChar8 *) a, (const FcChar8 *) b) == 0;
}

/* Returns: how many font families are installed, or -1 if that is not known */
gint
weft_fonts_count_families (void)
{
  FcPattern *all = FcPatternCreate ();
  FcObjectSet *what = FcObjectSetBuild (FC_FAMILY, NULL);
  FcFontSet *found = FcFontList (NULL, all, what);
  gint n = found != NULL ? found->nfont : 0;

  if (found != NULL)
    FcFontSetDestroy (found);
  FcObjectSetDestroy (what);
  FcPatternDestroy (all);
  return n;
}

static gboolean
has_family (FcPattern *font, const gchar *family)
{
  FcChar8 *name;

  for (gint i = 0; FcPatternGetString (font, FC_FAMILY, i, &name) == FcResultMatch; i++)
    if (is_same_family ((const gchar *) name, family))
      return TRUE;
  return FALSE;
}

/* @family: what a text asks for
 *
 * Returns: (nullable): the family that is drawn in its place, "" if there is none at all, or %NULL
 * if @family is installed */
gchar *
weft_fonts_find_substitute (const gchar *family)
{
  g_autofree gchar *lower = g_utf8_strdown (family, -1);
  FcPattern *wanted, *found;
  FcResult result;
  FcChar8 *name;
  gchar *substitute = NULL;

  if (g_strv_contains (generic_families, lower))
    return NULL;
  /* The same steps as Pango's. */
  wanted = FcPatternCreate ();
  FcPatternAddString (wanted, FC_FAMILY, (const FcChar8 *) family);
  FcConfigSubstitute (NULL, wanted, FcMatchPattern);
  FcDefaultSubstitute (wanted);
  found = FcFontMatch (NULL, wanted, &result);
  if (found == NULL)
    substitute = g_strdup ("");
  else if (!has_family (found, family)
           && FcPatternGetString (found, FC_FAMILY, 0, &name) == FcResultMatch)
    substitute = g_strdup ((const gchar *) name);
  if (found != NULL)
    FcPatternDestroy (found);
  FcPatternDestroy (wanted);
  return substitute;
}

#else

gint
weft_fonts_count_families (void)
{
  return -1;
}

gchar *
weft_fonts_find_substitute (const gchar *family)
{
  return NULL;
}

#endif
