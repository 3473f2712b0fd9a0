/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-job.h"

G_BEGIN_DECLS

void weft_job_check (JsonObject *job, GFile *base, GFile *file, GPtrArray *problems);

G_END_DECLS
