/* SPDX-License-Identifier: MIT */
/** @file error.h  Error codes and failure objects.
 *
 * Functions return 0 or a negative L2TPVOIP_ERR_… code. An error is never also logged and a call
 * that failed never calls back. Why a tunnel failed is an object: l2tpvoip_failure.
 */
#ifndef L2TPVOIP_ERROR_H
#define L2TPVOIP_ERROR_H

#include <l2tpvoip/types.h>

L2TPVOIP_BEGIN

/** X(name, value, text): the classes are blocks of 100. */
#define L2TPVOIP_ERROR_MAP(X)                                                                      \
    X(INVALID, -101, "invalid argument")                                                           \
    X(STATE, -102, "not possible in this state")                                                   \
    X(REENTRANT, -103, "called from a provider operation")                                         \
    X(UNSUPPORTED, -104, "not supported")                                                          \
    X(EXISTS, -105, "already exists or in use")                                                    \
    X(NOT_FOUND, -106, "not found")                                                                \
    X(THREAD, -107, "called from a thread that does not own the context")                          \
    X(AGAIN, -201, "would block; try again")                                                       \
    X(PENDING, -202, "waits for an answer of the application")                                     \
    X(NOMEM, -301, "out of memory")                                                                \
    X(LIMIT, -302, "a configured limit is reached")                                                \
    X(NOBUFS, -303, "queue full")                                                                  \
    X(IO, -401, "input/output error")                                                              \
    X(UNREACHABLE, -402, "peer unreachable")                                                       \
    X(RESOLVE, -403, "name could not be resolved")                                                 \
    X(MSGSIZE, -404, "datagram too large")                                                         \
    X(PERMISSION, -405, "permission denied")                                                       \
    X(TIMEOUT, -406, "peer did not answer")                                                        \
    X(CLOSED, -501, "closed")                                                                      \
    X(PEER_CLOSED, -502, "closed by the peer")                                                     \
    X(AUTH_IKE, -601, "IKE authentication failed")                                                 \
    X(AUTH_PPP, -602, "PPP authentication failed")                                                 \
    X(AUTH_L2TP, -603, "L2TP tunnel authentication failed")                                        \
    X(AUTH_PEER, -604, "the peer could not prove who it is")                                       \
    X(PROTOCOL, -701, "peer violated the protocol")                                                \
    X(MALFORMED, -702, "malformed message")                                                        \
    X(NO_PROPOSAL, -703, "no common proposal")                                                     \
    X(REFUSED, -704, "refused by the peer")                                                        \
    X(REPLAY, -705, "replayed packet")                                                             \
    X(INTEGRITY, -706, "integrity check failed")                                                   \
    X(NEGOTIATION, -707, "negotiation did not converge")                                           \
    X(CRYPTO, -801, "cryptographic operation failed")                                              \
    X(CRYPTO_UNAVAILABLE, -802, "algorithm not available in libcrypto")                            \
    X(CONFIG, -901, "invalid configuration")                                                       \
    X(INTERNAL, -1001, "internal error")

enum {
#define L2TPVOIP_ERROR_ENUM(name, value, text) L2TPVOIP_ERR_##name = (value),
    L2TPVOIP_ERROR_MAP(L2TPVOIP_ERROR_ENUM)
#undef L2TPVOIP_ERROR_ENUM
    L2TPVOIP_OK = 0
};

/** Name without prefix ("NO_PROPOSAL"), "OK", or "UNKNOWN". Static text. Any thread. */
L2TPVOIP_API const char *l2tpvoip_error_name(int code);
/** One English sentence without full stop. Static text. Any thread. */
L2TPVOIP_API const char *l2tpvoip_error_text(int code);
/** Class of a code: "usage", "blocked", "resource", "io", "closed", "auth", "protocol", "crypto",
 * "config", "internal" or "ok". Static text. Any thread. */
L2TPVOIP_API const char *l2tpvoip_error_class(int code);

/** Layers that can fail, in the order in which a connection comes up. */
enum {
    L2TPVOIP_LAYER_NONE = 0,
    L2TPVOIP_LAYER_CONFIG = 1,
    L2TPVOIP_LAYER_RESOLVE = 2,
    L2TPVOIP_LAYER_PATH = 3,
    L2TPVOIP_LAYER_IKE = 4,
    L2TPVOIP_LAYER_ESP = 5,
    L2TPVOIP_LAYER_L2TP = 6,
    L2TPVOIP_LAYER_PPP = 7,
    L2TPVOIP_LAYER_AUTH = 8,
    L2TPVOIP_LAYER_INET = 9,
    L2TPVOIP_LAYER_APP = 10
};

/** "ike", "l2tp", … Static text. Any thread. */
L2TPVOIP_API const char *l2tpvoip_layer_name(int32_t layer);

/** Why something failed. Frozen size. */
typedef struct l2tpvoip_failure {
    int32_t layer;       /**< L2TPVOIP_LAYER_… */
    int32_t code;        /**< L2TPVOIP_ERR_…; 0 = nothing failed. */
    int32_t peer_code;   /**< The peer's own code: IKE notify type, L2TP result << 16 | error,
                              CHAP failure E=…; 0 = the peer gave none. */
    int32_t reserved;    /**< Zero. */
    char message[256];   /**< What happened: one sentence. */
    char next_step[256]; /**< What a person can do about it; may be empty. */
} l2tpvoip_failure;

L2TPVOIP_END

#endif
