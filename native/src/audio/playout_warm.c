/* What putting a packet needs of a playout, fetched ahead. */
#include "playout_impl.h"

void cf_playout_warm(const cf_playout *p) {
    cf_warm(p, offsetof(cf_playout, count));
    cf_warm(&p->store, offsetof(cf_store, slots));
    cf_warm(&p->store.kept_count, sizeof p->store - offsetof(cf_store, kept_count));
}
