/* The engine's tables of handles: found, doubled, removed, all freed. */
#include "core/engine_internal.h"
#include "testlib.h"

static cf_room_handle *make(uint64_t id) {
    cf_room_handle *h = calloc(1, sizeof *h);
    h->base.id = id;
    return h;
}

static void test_finds_what_was_added(void) {
    cf_table table;
    CHECK_INT(cf_table_init(&table), 0);
    cf_room_handle *one = make(1), *far = make(UINT64_MAX);
    CHECK_INT(cf_table_add(&table, &one->base), 0);
    CHECK_INT(cf_table_add(&table, &far->base), 0);
    CHECK(cf_table_find(&table, 1) == one);
    CHECK(cf_table_find(&table, UINT64_MAX) == far);
    CHECK(cf_table_find(&table, 2) == NULL);
    cf_table_free(&table);
}

static void test_grows_and_keeps_everything(void) {
    cf_table table;
    CHECK_INT(cf_table_init(&table), 0);
    size_t first = table.size;
    for (uint64_t id = 1; id <= 5000; id++)
        CHECK_INT(cf_table_add(&table, &make(id * 0x100000000u)->base), 0);
    CHECK(table.size > first && table.size >= 5000);
    int missing = 0;
    for (uint64_t id = 1; id <= 5000; id++)
        missing += cf_table_find(&table, id * 0x100000000u) == NULL;
    CHECK_INT(missing, 0);
    cf_table_free(&table);
}

static void test_removes_only_the_one(void) {
    cf_table table;
    CHECK_INT(cf_table_init(&table), 0);
    for (uint64_t id = 1; id <= 300; id++)
        cf_table_add(&table, &make(id)->base);
    for (uint64_t id = 1; id <= 300; id += 2) {
        cf_handle *h = cf_table_find(&table, id);
        cf_table_remove(&table, h);
        free(h);
    }
    CHECK_INT(table.count, 150);
    int wrong = 0;
    for (uint64_t id = 1; id <= 300; id++)
        wrong += (cf_table_find(&table, id) != NULL) != (id % 2 == 0);
    CHECK_INT(wrong, 0);
    cf_table_free(&table);
    CHECK(table.buckets == NULL);
}

int main(void) {
    RUN(test_finds_what_was_added);
    RUN(test_grows_and_keeps_everything);
    RUN(test_removes_only_the_one);
    return REPORT();
}
