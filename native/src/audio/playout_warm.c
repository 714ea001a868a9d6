/* What putting a packet needs of a playout, fetched ahead in two steps: where things are, and the things. */
#include "playout_impl.h"

void cf_playout_warm(const cf_playout *p) {
    cf_warm(p->entries, sizeof p->entries[0]); /* the first payload type is nearly always the one */
    cf_warm(&p->jitter.at, offsetof(cf_playout, count) - offsetof(cf_playout, jitter.at));
    cf_warm(&p->store, offsetof(cf_store, slots));
    cf_warm(&p->store.small.count, sizeof p->store.small.count);
}

/* The next packet's slot and chunk, and the interval in which its transit time is noted. */
void cf_playout_warm_more(const cf_playout *p) {
    const cf_store *store = &p->store;
    cf_warm(&p->jitter.blocks[p->jitter.at % CF_JITTER_BLOCKS], sizeof p->jitter.blocks[0]);
    cf_warm(&store->slots[(p->line.newest + 1) & (CF_PLAYOUT_SLOTS - 1)], sizeof store->slots[0]);
    if (store->small.count > 0)
        cf_warm(store->payloads->small[store->small.free[store->small.count - 1]], CF_PACKET_SMALL / 2);
}
