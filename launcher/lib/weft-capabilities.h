/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

WEFT_API JsonNode *weft_capabilities_probe (void);

G_END_DECLS
