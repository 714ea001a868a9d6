/* One line that says what this build runs on: library versions and kernels in use. */
#include "conferocore/engine.h"

#include <openssl/crypto.h>
#include <opus.h>
#include <pthread.h>
#include <stdio.h>

static char line[256];

static void write_line(void) {
    snprintf(line, sizeof line, "conferocore: %s, %s, kernels: portable C", opus_get_version_string(),
             OpenSSL_version(OPENSSL_VERSION));
}

const char *cf_build_info(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, write_line);
    return line;
}
