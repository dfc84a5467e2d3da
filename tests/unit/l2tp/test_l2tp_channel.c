/* SPDX-License-Identifier: MIT */
/* The reliable control channel (rfc2661#5.8, #A): over a bad link, at the wrap, on the clock. */
#include "test_l2tp.h"

#define WIRE_MAX 1024

struct end {
    struct l2v_l2tp_channel ch;
    struct channel_link *link;
    int index;
    unsigned sent, zlbs, delivered, acked, given_up;
    bool keep_trying;
    uint64_t times[64];
    uint16_t ns[64];
    uint32_t next; /* number of the message expected */
    bool muted;
};

struct wire {
    bool used;
    int to;
    uint64_t due_ns, order;
    size_t len;
    uint8_t data[256];
};

struct channel_link {
    struct test_env te;
    struct l2v_l2tp_timing timing;
    struct end end[2];
    struct wire wire[WIRE_MAX];
    uint64_t seed, order;
    unsigned loss, dup, reorder;
};

static void on_send(void *user, struct l2v_pkt *pkt)
{
    struct end *e = user;
    struct channel_link *l = e->link;
    if (e->sent < 64) {
        e->times[e->sent] = l->te.env.now_ns;
        e->ns[e->sent] = l2v_get_u16(pkt->data + 8);
    }
    e->sent++;
    e->zlbs += pkt->len == 12;
    unsigned copies = 1 + (test_random64(&l->seed) % 100 < l->dup);
    for (unsigned c = 0; c < copies && !e->muted; c++) {
        if (test_random64(&l->seed) % 100 < l->loss) {
            continue;
        }
        for (size_t i = 0; i < WIRE_MAX; i++) {
            struct wire *w = &l->wire[i];
            if (w->used) {
                continue;
            }
            w->used = true;
            w->to = 1 - e->index;
            w->order = l->order++;
            w->due_ns = l->te.env.now_ns + 20 * MS;
            if (test_random64(&l->seed) % 100 < l->reorder) {
                w->due_ns += test_random64(&l->seed) % (500 * MS);
            }
            w->len = pkt->len;
            memcpy(w->data, pkt->data, pkt->len);
            break;
        }
    }
    l2v_pkt_free(pkt);
}

static void on_deliver(void *user, uint16_t session_id, const uint8_t *body, size_t len)
{
    struct end *e = user;
    ck_assert_uint_eq(len, 4);
    ck_assert_uint_eq(l2v_get_u32(body), e->next); /* in order, none twice, none missing */
    ck_assert_uint_eq(session_id, e->next & 0xffff);
    e->next++;
    e->delivered++;
}

static void on_acked(void *user, const struct l2v_l2tp_out *out)
{
    struct end *e = user;
    (void)out;
    e->acked++;
}

static bool on_give_up(void *user, const struct l2v_l2tp_out *front)
{
    struct end *e = user;
    (void)front;
    e->given_up++;
    if (!e->keep_trying) {
        l2v_l2tp_channel_stop(&e->ch);
    }
    return e->keep_trying;
}

static const struct l2v_l2tp_channel_ops channel_ops = {on_send, on_deliver, on_acked, on_give_up};

static struct channel_link *start(uint64_t seed, uint32_t tries, uint16_t first_ns)
{
    struct channel_link *l = calloc(1, sizeof *l);
    struct l2v_l2tp_config config = {.retransmit_tries = tries};
    ck_assert_ptr_nonnull(l);
    ck_assert_int_eq(test_env_init(&l->te, seed), 0);
    l->te.env.now_ns = 0;
    l->seed = seed;
    l2v_l2tp_timing_init(&l->timing, &config);
    for (int i = 0; i < 2; i++) {
        struct end *e = &l->end[i];
        e->link = l;
        e->index = i;
        l2v_l2tp_channel_init(&e->ch, &l->te.env, &l->timing, 8, &channel_ops, e);
        e->ch.ns = e->ch.nr = e->ch.una = e->ch.high = first_ns;
        l2v_l2tp_channel_set_peer_window(&e->ch, 8);
    }
    return l;
}

static void stop(struct channel_link *l)
{
    for (int i = 0; i < 2; i++) {
        l2v_l2tp_channel_clear(&l->end[i].ch);
    }
    ck_assert_uint_eq(l2v_timers_next(&l->te.env.timers), L2V_NEVER);
    test_env_clear(&l->te);
    ck_assert_int_eq(l->te.live, 0);
    free(l);
}

static void feed(struct end *e, const uint8_t *data, size_t len)
{
    struct l2v_l2tp_header h;
    ck_assert_int_eq(l2v_l2tp_header_parse(data, len, &h), 0);
    l2v_l2tp_channel_input(&e->ch, &h, data + 12, h.len - 12);
}

static struct wire *next_wire(struct channel_link *l)
{
    struct wire *best = NULL;
    for (size_t i = 0; i < WIRE_MAX; i++) {
        struct wire *w = &l->wire[i];
        if (w->used && (best == NULL || w->due_ns < best->due_ns ||
                        (w->due_ns == best->due_ns && w->order < best->order))) {
            best = w;
        }
    }
    return best;
}

/* Until nothing happens before the given time. */
static void run(struct channel_link *l, uint64_t end_ns)
{
    for (;;) {
        struct wire *w = next_wire(l);
        uint64_t t = l2v_timers_next(&l->te.env.timers);
        uint64_t next = w != NULL && w->due_ns < t ? w->due_ns : t;
        if (next > end_ns) {
            l->te.env.now_ns = end_ns;
            return;
        }
        l->te.env.now_ns = next;
        l2v_timers_run(&l->te.env.timers, next);
        if (w != NULL && w->due_ns <= next) {
            struct wire copy = *w;
            w->used = false;
            feed(&l->end[copy.to], copy.data, copy.len);
        }
    }
}

static void post(struct end *e, uint32_t number)
{
    uint8_t body[4];
    l2v_put_u32(body, number);
    ck_assert_int_eq(l2v_l2tp_channel_send(&e->ch, L2V_L2TP_HELLO, (uint16_t)number, body, 4), 0);
}

/* rfc2661#5.8 in order, exactly once, whatever the link does; the numbers wrap on the way */
START_TEST(lossy_link)
{
    struct channel_link *l = start((uint64_t)_i + 1, 60, (uint16_t)(0xfff0 + _i % 16));
    l->loss = 30;
    l->dup = 10;
    l->reorder = 50;
    for (uint32_t n = 0; n < 40; n++) {
        post(&l->end[0], n);
        if (n % 2 == 0) {
            post(&l->end[1], n / 2);
        }
        if (n % 5 == 0) {
            run(l, l->te.env.now_ns + 200 * MS);
        }
    }
    run(l, l->te.env.now_ns + 3600 * SECOND);
    ck_assert_uint_eq(l->end[1].delivered, 40);
    ck_assert_uint_eq(l->end[0].delivered, 20);
    ck_assert_uint_eq(l->end[0].acked, 40);
    ck_assert_uint_eq(l->end[1].acked, 20);
    ck_assert(l2v_l2tp_channel_is_idle(&l->end[0].ch));
    stop(l);
}
END_TEST

/* rfc2661#5.8 1 s, doubling, capped at 8 s; five times; then given up */
START_TEST(schedule)
{
    static const uint64_t want[] = {0, 1, 3, 7, 15, 23};
    struct channel_link *l = start(1, 5, 0);
    l->end[0].muted = true;
    post(&l->end[0], 0);
    run(l, 31 * SECOND - 1);
    ck_assert_uint_eq(l->end[0].sent, 6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(l->end[0].times[i], want[i] * SECOND);
        ck_assert_uint_eq(l->end[0].ns[i], 0);
    }
    ck_assert_uint_eq(l->end[0].given_up, 0);
    run(l, 31 * SECOND);
    ck_assert_uint_eq(l->end[0].given_up, 1);
    ck_assert_uint_eq(l2v_l2tp_timing_cycle(&l->timing), 31 * SECOND);
    run(l, 1000 * SECOND);
    ck_assert_uint_eq(l->end[0].sent, 6);
    stop(l);
}
END_TEST

/* Signs of life: it goes on at the cap. */
START_TEST(keeps_trying)
{
    struct channel_link *l = start(1, 5, 0);
    l->end[0].muted = true;
    l->end[0].keep_trying = true;
    post(&l->end[0], 0);
    run(l, 71 * SECOND);
    ck_assert_uint_eq(l->end[0].sent, 12);
    ck_assert_uint_eq(l->end[0].times[6], 31 * SECOND);
    ck_assert_uint_eq(l->end[0].times[7], 39 * SECOND);
    l->end[0].muted = false;
    run(l, 100 * SECOND);
    ck_assert_uint_eq(l->end[0].acked, 1);
    stop(l);
}
END_TEST

/* The cap is never below 8 s, however it is set (rfc2661#5.8 MUST). */
START_TEST(timing_bounds)
{
    struct l2v_l2tp_timing t;
    struct l2v_l2tp_config config = {.retransmit_cap_ms = 100, .retransmit_ms = 500};
    l2v_l2tp_timing_init(&t, &config);
    ck_assert_uint_eq(t.cap_ns, 8 * SECOND);
    ck_assert_uint_eq(t.ack_ns, 100 * MS);
    ck_assert_uint_eq(l2v_l2tp_timing_next(&t, 500 * MS), SECOND);
    config.retransmit_ms = 20000;
    l2v_l2tp_timing_init(&t, &config);
    ck_assert_uint_eq(l2v_l2tp_timing_next(&t, t.first_ns), 20 * SECOND);
}
END_TEST

/* rfc2661#A slow start: 1, 2, 4, then the window; one per round trip after a loss's threshold */
START_TEST(slow_start)
{
    struct channel_link *l = start(1, 5, 0);
    struct end *a = &l->end[0];
    for (uint32_t n = 0; n < 20; n++) {
        post(a, n);
    }
    ck_assert_uint_eq(a->sent, 1);
    ck_assert_uint_eq(a->ch.cwnd, 1);
    for (unsigned acks = 1; acks <= 7; acks++) {
        uint8_t zlb[12];
        l2v_l2tp_header_put_control(zlb, 0, 0, 0, (uint16_t)acks, 0);
        feed(a, zlb, sizeof zlb);
        ck_assert_uint_eq(a->ch.cwnd, 1 + acks);
        ck_assert_uint_eq(a->sent, 1 + 2 * acks);
    }
    uint8_t zlb[12];
    l2v_l2tp_header_put_control(zlb, 0, 0, 0, 8, 0);
    feed(a, zlb, sizeof zlb);
    ck_assert_uint_eq(a->ch.cwnd, 8); /* never beyond the peer's window */
    /* a loss: half of it is the new threshold */
    a->muted = true;
    l2v_timer_cancel(&l->te.env.timers, &l->end[1].ch.ack);
    l->te.env.now_ns += SECOND;
    l2v_timers_run(&l->te.env.timers, l->te.env.now_ns);
    ck_assert_uint_eq(a->ch.cwnd, 1);
    ck_assert_uint_eq(a->ch.ssthresh, 4);
    ck_assert_uint_eq(a->ch.in_flight, 1);
    ck_assert_uint_eq(a->ns[a->sent - 1], 8);
    /* back to the threshold by slow start, then one step after cwnd acknowledgements */
    unsigned nr = 9;
    for (unsigned want = 2; want <= 4; want++) {
        l2v_l2tp_header_put_control(zlb, 0, 0, 0, (uint16_t)nr++, 0);
        feed(a, zlb, sizeof zlb);
        ck_assert_uint_eq(a->ch.cwnd, want);
    }
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(a->ch.cwnd, 4);
        l2v_l2tp_header_put_control(zlb, 0, 0, 0, (uint16_t)nr++, 0);
        feed(a, zlb, sizeof zlb);
    }
    ck_assert_uint_eq(a->ch.cwnd, 5);
    stop(l);
}
END_TEST

/* rfc2661#5.8 the peer's window holds, 1 included */
START_TEST(peer_window)
{
    for (uint32_t window = 1; window <= 4; window++) {
        struct channel_link *l = start(1, 5, 65534);
        struct end *a = &l->end[0];
        a->ch.cwnd = 8;
        l2v_l2tp_channel_set_peer_window(&a->ch, window);
        for (uint32_t n = 0; n < 10; n++) {
            post(a, n);
        }
        ck_assert_uint_eq(a->sent, window);
        run(l, 20 * SECOND);
        ck_assert_uint_eq(l->end[1].delivered, 10);
        ck_assert_uint_eq(a->ch.ns, 8); /* 65534 + 10 */
        stop(l);
    }
}
END_TEST

static void feed_numbered(struct end *e, uint16_t ns, uint32_t number)
{
    uint8_t data[16];
    l2v_l2tp_header_put_control(data, 0, (uint16_t)number, ns, e->ch.una, 4);
    l2v_put_u32(data + 12, number);
    feed(e, data, sizeof data);
}

/* Out of order is kept within the window; duplicates are acknowledged at once; the wrap. */
START_TEST(receive_order)
{
    struct channel_link *l = start(1, 5, 65534);
    struct end *b = &l->end[1];
    feed_numbered(b, 0, 2);
    feed_numbered(b, 65535, 1);
    ck_assert_uint_eq(b->delivered, 0);
    ck_assert_uint_eq(b->zlbs, 2); /* says at once what is missing */
    feed_numbered(b, 65535, 1);
    feed_numbered(b, 65534, 0);
    ck_assert_uint_eq(b->delivered, 3);
    ck_assert_uint_eq(b->ch.nr, 1);
    unsigned zlbs = b->zlbs;
    feed_numbered(b, 65535, 1);
    ck_assert_uint_eq(b->delivered, 3);
    ck_assert_uint_eq(b->zlbs, zlbs + 1);
    ck_assert_uint_eq(b->ch.n_duplicates, 1);
    /* rfc2661#5.8 "the last received number and the preceding 32767 values" */
    feed_numbered(b, (uint16_t)(0 - 32767), 99);
    ck_assert_uint_eq(b->ch.n_duplicates, 2);
    /* beyond the window: not kept */
    feed_numbered(b, 1 + 8, 11);
    feed_numbered(b, 1 + 7, 10);
    for (uint16_t n = 0; n < 7; n++) {
        feed_numbered(b, (uint16_t)(1 + n), 3u + n);
    }
    ck_assert_uint_eq(b->delivered, 11);
    ck_assert_uint_eq(b->ch.nr, 9);
    stop(l);
}
END_TEST

/* A lone message is acknowledged after a while, an answer carries the acknowledgement. */
START_TEST(delayed_ack)
{
    struct channel_link *l = start(1, 5, 0);
    struct end *b = &l->end[1];
    l->te.env.now_ns = SECOND;
    feed_numbered(b, 0, 0);
    ck_assert_uint_eq(b->sent, 0);
    run(l, SECOND + 100 * MS - 1);
    ck_assert_uint_eq(b->sent, 0);
    run(l, SECOND + 100 * MS);
    ck_assert_uint_eq(b->zlbs, 1);
    feed_numbered(b, 1, 1);
    post(b, 0);
    ck_assert_uint_eq(b->sent, 2);
    run(l, 10 * SECOND);
    ck_assert_uint_eq(b->zlbs, 1);
    stop(l);
}
END_TEST

/* An acknowledgement of what was never sent changes nothing. */
START_TEST(false_ack)
{
    struct channel_link *l = start(1, 5, 65535);
    struct end *a = &l->end[0];
    a->muted = true;
    post(a, 0);
    post(a, 1);
    static const uint16_t bad[] = {65535, 65534, 1, 2, 100, 32767, 40000};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t zlb[12];
        l2v_l2tp_header_put_control(zlb, 0, 0, 0, bad[i], 0);
        feed(a, zlb, sizeof zlb);
        ck_assert_uint_eq(a->acked, 0);
        ck_assert_uint_eq(a->ch.queued, 2);
    }
    uint8_t zlb[12];
    l2v_l2tp_header_put_control(zlb, 0, 0, 0, 0, 0);
    feed(a, zlb, sizeof zlb);
    ck_assert_uint_eq(a->acked, 1);
    stop(l);
}
END_TEST

/* A peer that asks without end and acknowledges nothing does not fill our memory. */
START_TEST(bounded_queue)
{
    struct channel_link *l = start(1, 5, 0);
    struct end *a = &l->end[0];
    uint8_t body[4] = {0};
    int rc = 0;
    unsigned n = 0;
    a->muted = true;
    while (rc == 0 && n < 10000) {
        rc = l2v_l2tp_channel_send(&a->ch, L2V_L2TP_HELLO, 0, body, 4);
        n++;
    }
    ck_assert_int_eq(rc, L2TPVOIP_ERR_LIMIT);
    feed_numbered(a, 0, 0);
    ck_assert_uint_eq(a->delivered, 0);
    l2v_l2tp_channel_hurry(&a->ch);
    ck_assert_uint_eq(a->ch.queued, 1);
    ck_assert_uint_eq(a->ch.ns, 1);
    feed_numbered(a, 0, 0);
    ck_assert_uint_eq(a->delivered, 1);
    stop(l);
}
END_TEST

/* 65536 HELLOs later (the bug of a plain compare: the wrap at 65535 is never acknowledged). */
START_TEST(whole_circle)
{
    struct channel_link *l = start(1, 5, 0);
    for (uint32_t n = 0; n < 66000; n++) {
        post(&l->end[0], n);
        run(l, l->te.env.now_ns + 200 * MS);
    }
    ck_assert_uint_eq(l->end[1].delivered, 66000);
    ck_assert_uint_eq(l->end[0].acked, 66000);
    ck_assert_uint_eq(l->end[0].ch.n_retransmitted, 0);
    stop(l);
}
END_TEST

TCase *test_channel_case(void)
{
    TCase *c = tcase_create("channel");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, lossy_link, 0, 200);
    tcase_add_test(c, schedule);
    tcase_add_test(c, keeps_trying);
    tcase_add_test(c, timing_bounds);
    tcase_add_test(c, slow_start);
    tcase_add_test(c, peer_window);
    tcase_add_test(c, receive_order);
    tcase_add_test(c, delayed_ack);
    tcase_add_test(c, false_ack);
    tcase_add_test(c, bounded_queue);
    tcase_add_test(c, whole_circle);
    return c;
}
