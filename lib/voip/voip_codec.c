/* SPDX-License-Identifier: MIT */
/* Codecs as the E-model sees them, ITU-T G.113 appendix I; payload types of RFC 3551. */
#include <ctype.h>

#include "l2v_voip.h"

#define ROW(name, pt, clock, info, ie, bpl)                                                        \
    {                                                                                              \
        sizeof(l2tpvoip_codec), pt, name, clock, info, ie, bpl                                     \
    }

/* G.711 is rated with packet-loss concealment (G.711 appendix I), which every receiver of today
 * has. Where the ITU gives no value for the narrow-band scale the row is an estimate. */
static const l2tpvoip_codec codecs[] = {
    ROW("PCMA", 8, 8000, 0, 0, 25.1),
    ROW("PCMU", 0, 8000, 0, 0, 25.1),
    ROW("G711-NOPLC", 127, 8000, 0, 0, 4.3),
    ROW("G729", 18, 8000, 0, 10, 19),
    ROW("G729A-VAD", 127, 8000, 0, 11, 19),
    ROW("G723", 4, 8000, 0, 15, 16.1),
    ROW("GSM-EFR", 127, 8000, 0, 5, 10),
    ROW("iLBC", 97, 8000, 0, 11, 32),
    ROW("GSM", 3, 8000, 1, 20, 10),
    ROW("G722", 9, 8000, 1, 0, 10), /* the RTP clock is 8000, rfc3551#4.5.2 */
    ROW("opus", 96, 48000, 1, 0, 25.1),
};

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return tolower((unsigned char)*a) == tolower((unsigned char)*b);
}

int l2v_codec_find(const char *name, l2tpvoip_codec *ret)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        if (same_name(codecs[i].name, name)) {
            *ret = codecs[i];
            return 0;
        }
    }
    return L2TPVOIP_ERR_NOT_FOUND;
}

int l2v_codec_find_pt(unsigned payload_type, l2tpvoip_codec *ret)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        if (codecs[i].payload_type == payload_type && payload_type < 96) {
            *ret = codecs[i];
            return 0;
        }
    }
    return L2TPVOIP_ERR_NOT_FOUND;
}
