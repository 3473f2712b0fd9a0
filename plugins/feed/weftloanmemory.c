/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftloanmemory.h"

#define LOAN_MEMORY_TYPE "WeftLoan"

typedef struct {
  GstMemory parent;

  GMutex lock;       /* guards the rest; taken alone */
  GstBuffer *buffer; /* (nullable): what was lent; %NULL once it was called back */
  GstMapInfo map;    /* of @buffer, open for the time of the loan */
} LoanMemory;

struct _WeftLoanAllocator {
  GstAllocator parent_instance;
};

G_DEFINE_FINAL_TYPE (WeftLoanAllocator, weft_loan_allocator, GST_TYPE_ALLOCATOR)

static gpointer
loan_map (GstMemory *memory, gsize maxsize, GstMapFlags flags)
{
  LoanMemory *loan = (LoanMemory *) memory;
  gpointer data = NULL;

  g_mutex_lock (&loan->lock);
  if (loan->buffer)
    data = loan->map.data;
  g_mutex_unlock (&loan->lock);
  return data;
}

static void
loan_unmap (GstMemory *memory)
{}

static void
weft_loan_allocator_free (GstAllocator *allocator, GstMemory *memory)
{
  LoanMemory *loan = (LoanMemory *) memory;

  weft_loan_memory_call_back (memory);
  g_mutex_clear (&loan->lock);
  g_free (loan);
}

static void
weft_loan_allocator_class_init (WeftLoanAllocatorClass *klass)
{
  GST_ALLOCATOR_CLASS (klass)->free = weft_loan_allocator_free;
}

static void
weft_loan_allocator_init (WeftLoanAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR (self);

  allocator->mem_type = LOAN_MEMORY_TYPE;
  allocator->mem_map = loan_map;
  allocator->mem_unmap = loan_unmap;
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

/* Returns: (transfer full) (nullable): a read-only memory showing the data of @buffer */
GstMemory *
weft_loan_memory_new (GstAllocator *allocator, GstBuffer *buffer)
{
  LoanMemory *loan = g_new0 (LoanMemory, 1);

  if (!gst_buffer_map (buffer, &loan->map, GST_MAP_READ)) {
    g_free (loan);
    return NULL;
  }
  g_mutex_init (&loan->lock);
  loan->buffer = gst_buffer_ref (buffer);
  gst_memory_init (GST_MEMORY_CAST (loan), GST_MEMORY_FLAG_READONLY | GST_MEMORY_FLAG_NO_SHARE,
      allocator, NULL, loan->map.size, 0, 0, loan->map.size);
  return GST_MEMORY_CAST (loan);
}

/* Gives the buffer back to whoever owns it. */
void
weft_loan_memory_call_back (GstMemory *memory)
{
  LoanMemory *loan = (LoanMemory *) memory;
  g_autoptr (GstBuffer) buffer = NULL;

  g_mutex_lock (&loan->lock);
  buffer = g_steal_pointer (&loan->buffer);
  g_mutex_unlock (&loan->lock);
  if (buffer)
    gst_buffer_unmap (buffer, &loan->map);
}
