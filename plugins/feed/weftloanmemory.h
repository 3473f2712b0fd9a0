/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A memory that shows the data of a buffer it was lent, until the loan is called back.
 * Mapping it afterwards fails. A mapping that is still open then points at memory which the
 * lender may write to again. */
GstMemory *weft_loan_memory_new (GstAllocator *allocator, GstBuffer *buffer);
void weft_loan_memory_call_back (GstMemory *memory);

#define WEFT_TYPE_LOAN_ALLOCATOR (weft_loan_allocator_get_type ())
G_DECLARE_FINAL_TYPE (WeftLoanAllocator, weft_loan_allocator, WEFT, LOAN_ALLOCATOR, GstAllocator)

G_END_DECLS
