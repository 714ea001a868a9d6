/* Digits and their event codes (RFC 4733 section 3.2; 16 is the hook flash of RFC 2833 section 3.10). */
#include "conferocore/event.h"
#include <string.h>

static const char digits[] = "0123456789*#ABCD!";

char cf_event_digit(uint8_t code) {
    return code < sizeof digits - 1 ? digits[code] : 0;
}

int cf_event_code(char digit) {
    const char *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) : -1;
}
