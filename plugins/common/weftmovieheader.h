/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/*
 * WeftMovieDurationFunc:
 * @duration: what the movie header says, as qtdemux would have said it
 *
 * Called from the streaming thread that reads the header, before the demuxer has any pad.
 */
typedef void (*WeftMovieDurationFunc) (GstClockTime duration, gpointer user_data);

void weft_movie_header_watch (GstElement *element, WeftMovieDurationFunc found, gpointer user_data);

G_END_DECLS
