/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#ifndef WEFT_API
#define WEFT_API __attribute__ ((visibility ("default"))) extern
#endif

/**
 * WEFT_ERROR:
 *
 * The error domain of libweft. Every #GError in it carries the #WeftProblem it was made
 * from; see [func@Weft.error_get_problems].
 */
#define WEFT_ERROR (weft_error_quark ())

/**
 * WeftError:
 * @WEFT_ERROR_INVALID_JOB: the job document is not valid; the problems carry JSON Pointers
 * @WEFT_ERROR_SOURCE_NOT_FOUND: a source does not exist
 * @WEFT_ERROR_SOURCE_DENIED: a source may not be read
 * @WEFT_ERROR_SOURCE_DAMAGED: a source is truncated, corrupt or not media
 * @WEFT_ERROR_SOURCE_CHANGED: a source was replaced while it was read
 * @WEFT_ERROR_UNSUPPORTED: this build or machine cannot do what the job asks
 * @WEFT_ERROR_ENCODER_FAILED: an encoder refused its settings or failed while encoding
 * @WEFT_ERROR_OUTPUT_DENIED: an output's place may not be written
 * @WEFT_ERROR_OUTPUT_FAILED: writing an output failed, or it is not what the plan says
 * @WEFT_ERROR_STALLED: no data flowed for longer than the stall timeout
 * @WEFT_ERROR_CANCELLED: the caller cancelled
 * @WEFT_ERROR_NO_SPACE: the place of an output is full
 * @WEFT_ERROR_INTERNAL: a defect in Weft or in an element
 *
 * What went wrong, in terms a caller can act on.
 */
typedef enum {
  WEFT_ERROR_INVALID_JOB,
  WEFT_ERROR_SOURCE_NOT_FOUND,
  WEFT_ERROR_SOURCE_DENIED,
  WEFT_ERROR_SOURCE_DAMAGED,
  WEFT_ERROR_SOURCE_CHANGED,
  WEFT_ERROR_UNSUPPORTED,
  WEFT_ERROR_ENCODER_FAILED,
  WEFT_ERROR_OUTPUT_DENIED,
  WEFT_ERROR_OUTPUT_FAILED,
  WEFT_ERROR_STALLED,
  WEFT_ERROR_CANCELLED,
  WEFT_ERROR_NO_SPACE,
  WEFT_ERROR_INTERNAL,
} WeftError;

WEFT_API GQuark weft_error_quark (void);
WEFT_API const gchar *weft_error_to_name (WeftError code);
WEFT_API gboolean weft_error_is_retryable (WeftError code);

#define WEFT_TYPE_PROBLEM (weft_problem_get_type ())
typedef struct _WeftProblem WeftProblem;

/**
 * WeftProblem:
 * @code: what kind of problem
 * @is_warning: %TRUE if the job can go on all the same
 * @message: what happened, one sentence without a full stop
 * @hint: (nullable): what to do about it
 * @pointer: (nullable): where in the job document (RFC 6901 JSON Pointer; "" is the whole
 * document)
 * @uri: (nullable): which source or output
 * @element: (nullable): which element or pad of the graph
 *
 * One thing that is wrong, with what, where and what to do.
 */
struct _WeftProblem {
  WeftError code;
  gboolean is_warning;
  gchar *message;
  gchar *hint;
  gchar *pointer;
  gchar *uri;
  gchar *element;
};

WEFT_API GType weft_problem_get_type (void);
WEFT_API WeftProblem *weft_problem_new (WeftError code, const gchar *pointer, const gchar *uri,
    const gchar *hint, const gchar *format, ...) G_GNUC_PRINTF (5, 6);
WEFT_API WeftProblem *weft_problem_copy (const WeftProblem *problem);
WEFT_API void weft_problem_free (WeftProblem *problem);
WEFT_API JsonNode *weft_problem_to_json (const WeftProblem *problem);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftProblem, weft_problem_free)

WEFT_API void weft_error_set_problem (GError **error, WeftProblem *problem);
WEFT_API void weft_error_set_problems (GError **error, GPtrArray *problems);
WEFT_API GPtrArray *weft_error_get_problems (const GError *error);

G_END_DECLS
