/* Memory that is there in name at once and in fact when it is first written. */
#ifndef CONFEROCORE_BASE_LAZY_H
#define CONFEROCORE_BASE_LAZY_H

#include <stddef.h>

/* Zeroed, on a cache line of its own, at most a page of it touched; NULL without address space. For what most legs
 * never use: a listener has an encoder, a decoder and a mix of its own only from the moment when it talks. Freed with
 * cf_lazy_free, not free. */
void *cf_lazy_new(size_t size);
void cf_lazy_free(void *memory);

#endif
