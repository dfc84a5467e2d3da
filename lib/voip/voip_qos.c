/* SPDX-License-Identifier: MIT */
/* DSCP: inner code point to send class, and what of it may show outside (RFC 2983, RFC 4594). */
#include "l2v_voip.h"

struct dscp_row {
    uint8_t dscp, klass;
    bool copy; /* to the outer header: a code point that networks know for voice and its signalling
                */
};

static const struct dscp_row rows[] = {
    {46, L2TPVOIP_CLASS_VOICE, true},       /* EF, rfc3246 */
    {44, L2TPVOIP_CLASS_VOICE, false},      /* VOICE-ADMIT, rfc5865 */
    {40, L2TPVOIP_CLASS_VOICE, true},       /* CS5 */
    {34, L2TPVOIP_CLASS_VOICE, true},       /* AF41, rfc2597 */
    {36, L2TPVOIP_CLASS_VOICE, true},       /* AF42 */
    {38, L2TPVOIP_CLASS_VOICE, true},       /* AF43 */
    {24, L2TPVOIP_CLASS_SIGNALLING, true},  /* CS3 */
    {26, L2TPVOIP_CLASS_SIGNALLING, false}, /* AF31 */
    {28, L2TPVOIP_CLASS_SIGNALLING, false}, /* AF32 */
    {30, L2TPVOIP_CLASS_SIGNALLING, false}, /* AF33 */
};

static const struct dscp_row *find(uint8_t tos)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].dscp == tos >> 2) {
            return &rows[i];
        }
    }
    return NULL;
}

uint8_t l2v_voip_classify(uint8_t tos)
{
    const struct dscp_row *row = find(tos);
    return row != NULL ? row->klass : (uint8_t)L2TPVOIP_CLASS_BULK;
}

uint8_t l2v_voip_outer_tos(uint8_t inner_tos)
{
    const struct dscp_row *row = find(inner_tos);
    return row != NULL && row->copy ? inner_tos & 0xfcu : 0;
}
