/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-capabilities.h"
#include "weft-error.h"
#include "weft-graph.h"
#include "weft-job.h"
#include "weft-plan.h"
#include "weft-probe.h"
#include "weft-runner.h"
