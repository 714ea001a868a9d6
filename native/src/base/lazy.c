/* Pages of zeros from the kernel, which gives them real memory one by one as they are written: about half a microsecond
 * each, once. malloc would do the same only for large pieces, and only until the first of them has been freed. */
#include "lazy.h"

#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED /* they watch malloc, not pages: where errors are looked for, they are to be found */

void *cf_lazy_new(size_t size) {
    return calloc(1, size);
}

void cf_lazy_free(void *memory) {
    free(memory);
}

#else

enum { HEAD = 64 }; /* the size stands before what is handed out, a cache line away */

void *cf_lazy_new(size_t size) {
    size_t whole = size + HEAD;
    char *pages = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    *(size_t *)(void *)pages = whole;
    return pages + HEAD;
}

void cf_lazy_free(void *memory) {
    if (!memory)
        return;
    char *pages = (char *)memory - HEAD;
    munmap(pages, *(size_t *)(void *)pages);
}

#endif
