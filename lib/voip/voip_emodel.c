/* SPDX-License-Identifier: MIT */
/* The E-model, ITU-T G.107 (2015). Letters are those of the Recommendation. */
#include <math.h>

#include "l2v_voip.h"

void l2v_emodel_init(struct l2v_emodel *e)
{
    static const struct l2v_emodel defaults = {
        .slr = 8,
        .rlr = 2,
        .stmr = 15,
        .dr = 3,
        .ds = 3,
        .telr = 65,
        .wepl = 110,
        .qdu = 1,
        .bpl = 4.3,
        .burst_r = 1,
        .nc = -70,
        .nfor = -64,
        .ps = 35,
        .pr = 35,
        .st = 1,
        .mt = 100,
    };
    *e = defaults;
}

static double power_sum(double db)
{
    return pow(10, db / 10);
}

/* 7.2: all circuit noise, as seen at the 0 dBr point. */
static double noise(const struct l2v_emodel *e, double olr)
{
    double nos = e->ps - e->slr - e->ds - 100 + 0.004 * pow(e->ps - olr - e->ds - 14, 2);
    double lstr = e->stmr + e->dr;
    double pre = e->pr + 10 * log10(1 + power_sum(10 - lstr));
    double nor = e->rlr - 121 + pre + 0.008 * pow(pre - 35, 2);
    double nfo = e->nfor + e->rlr;
    return 10 * log10(power_sum(e->nc) + power_sum(nos) + power_sum(nor) + power_sum(nfo));
}

/* 7.3: what comes at the same time as the voice. */
static double simultaneous(const struct l2v_emodel *e, double olr, double no, double ro)
{
    double xolr = olr + 0.2 * (64 + no - e->rlr);
    double iolr = 20 * (pow(1 + pow(xolr / 8, 8), 1.0 / 8) - xolr / 8);
    double stmro = -10 * log10(power_sum(-e->stmr) + exp(-e->t / 4) * power_sum(-e->telr));
    double ist = 12 * pow(1 + pow((stmro - 13) / 6, 8), 1.0 / 8) -
                 28 * pow(1 + pow((stmro + 1) / 19.4, 35), 1.0 / 35) -
                 13 * pow(1 + pow((stmro - 3) / 33, 13), 1.0 / 13) + 29;
    double q = 37 - 15 * log10(e->qdu);
    double g = 1.07 + 0.258 * q + 0.0602 * q * q;
    double y = (ro - 100) / 15 + 46 / 8.4 - g / 9;
    double z = 46.0 / 30 - g / 40;
    double iq = 15 * log10(1 + pow(10, y) + pow(10, z));
    return iolr + ist + iq;
}

/* 7.4: talker echo, listener echo, and sheer delay. */
static double delay(const struct l2v_emodel *e, double no, double ro)
{
    double roe = -1.5 * (no - e->rlr);
    double terv =
        e->telr - 40 * log10((1 + e->t / 10) / (1 + e->t / 150)) + 6 * exp(-0.3 * e->t * e->t);
    double re = 80 + 2.5 * (terv - 14);
    double idte = ((roe - re) / 2 + sqrt(pow(roe - re, 2) / 4 + 100) - 1) * (1 - exp(-e->t));
    double rle = 10.5 * (e->wepl + 7) * pow(e->tr + 1, -0.25);
    double idle = (ro - rle) / 2 + sqrt(pow(ro - rle, 2) / 4 + 169);
    double idd = 0;
    if (e->ta > e->mt) {
        double x = log2(e->ta / e->mt);
        double k = 6 * e->st;
        idd = 25 * (pow(1 + pow(x, k), 1 / k) - 3 * pow(1 + pow(x / 3, k), 1 / k) + 2);
    }
    return idte + idle + idd;
}

double l2v_emodel_rate(const struct l2v_emodel *e)
{
    double olr = e->slr + e->rlr;
    double no = noise(e, olr);
    double ro = 15 - 1.5 * (e->slr + no);
    double is = simultaneous(e, olr, no, ro);
    double id = delay(e, no, ro);
    double ie_eff = e->ie;
    if (e->ppl > 0) { /* 7.5 */
        ie_eff += (95 - e->ie) * e->ppl / (e->ppl / e->burst_r + e->bpl);
    }
    return ro - is - id - ie_eff + e->a;
}

double l2v_emodel_mos(double r)
{
    if (!(r > 0)) {
        return 1;
    }
    if (r >= 100) {
        return 4.5;
    }
    double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
    return mos < 1 ? 1 : mos; /* the cubic dips below 1 near 0 */
}

double l2v_emodel_r(const l2tpvoip_codec *codec, double delay_ms, double loss, double burst_ratio)
{
    struct l2v_emodel e;
    l2v_emodel_init(&e);
    e.t = e.ta = delay_ms > 0 ? delay_ms : 0;
    e.tr = 2 * e.t;
    e.ppl = loss > 1 ? 100 : loss > 0 ? loss * 100 : 0;
    e.burst_r = burst_ratio > 1 ? burst_ratio : 1;
    if (codec != NULL) {
        e.ie = codec->ie;
        e.bpl = codec->bpl > 0 ? codec->bpl : e.bpl;
    }
    return l2v_emodel_rate(&e);
}
