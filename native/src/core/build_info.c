/* One line that says what this build runs on: library versions and kernels in use. */
#include "conferocore/engine.h"

#include "kernels/kernels.h"

#include <openssl/crypto.h>
#include <opus.h>
#include <pthread.h>
#include <stdio.h>

static char line[256];

static void write_line(void) {
    const char *refused = cf_kernels_refused();
    int n = snprintf(line, sizeof line, "conferocore: %s, %s, SRTP: %s, kernels: %s", opus_get_version_string(),
                     OpenSSL_version(OPENSSL_VERSION), cf_srtp_backend_name(), cf_kernels_now->name);
    if (refused && n > 0 && (size_t)n < sizeof line)
        snprintf(line + n, sizeof line - (size_t)n, " (CONFERO_SIMD=%.16s: not here)", refused);
}

const char *cf_build_info(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, write_line);
    return line;
}
