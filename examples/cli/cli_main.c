/* SPDX-License-Identifier: MIT */
/* l2tpvoip: the command line. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct verb {
    const char *name;
    int (*run)(const struct cli_options *options);
    const char *usage;
    const char *help;
};

static const struct verb verbs[] = {
    {"demo", cli_verb_demo, "demo [--seconds N]",
     "A server and a phone in one process: IPsec, L2TP and PPP over real UDP on loopback, then a\n"
     "call and its quality. Needs no privileges and no configuration.\n"},
    {"connect", cli_verb_connect, "connect FILE [--call HOST:PORT | --ping HOST]",
     "Brings a tunnel up and stays in the foreground; `l2tpvoip status`, `ping`, `call` and "
     "`down`\n"
     "reach it by its control socket. Ctrl-C closes it in order.\n"
     "With --call or --ping: does just that, prints the result and closes.\n"
     "HOST is an address inside the tunnel; `peer` stands for the server's inner address.\n"},
    {"serve", cli_verb_serve, "serve FILE",
     "Runs a server in the foreground, with a UDP echo on its inner address (cli: echo_port, "
     "7).\n"},
    {"status", cli_verb_remote, "status", "What a running connect or serve is doing.\n"},
    {"ping", cli_verb_remote, "ping HOST [--count N]", "Echo requests through a running tunnel.\n"},
    {"call", cli_verb_remote, "call HOST:PORT [--seconds N]",
     "A paced RTP stream through a running tunnel to a UDP echo; prints loss, order, jitter (RFC\n"
     "3550), round trip, R and MOS (ITU-T G.107).\n"},
    {"down", cli_verb_remote, "down", "Closes a running tunnel or server in order.\n"},
    {"config", cli_verb_config, "config check FILE",
     "Reads a configuration and says what is wrong, with file, line and column.\n"},
};

struct option {
    const char *name, *argument, *help;
    char kind; /* b: bool, s: text, u: number, d: real */
    size_t offset;
    unsigned min, max;
};

#define AT(member) offsetof(struct cli_options, member)
static const struct option options_table[] = {
    {"--call", "HOST:PORT", "call an echo (connect)", 's', AT(call), 0, 0},
    {"--ping", "HOST", "ping (connect)", 's', AT(ping), 0, 0},
    {"--seconds", "N", "length of a call; default 5 in demo, else 10", 'u', AT(seconds), 1, 86400},
    {"--count", "N", "number of pings; default 4", 'u', AT(count), 1, 3600},
    {"--codec", "NAME", "PCMA (default), PCMU, G722 or G729", 's', AT(codec), 0, 0},
    {"--ptime", "MS", "milliseconds of voice a packet, 10 to 60; default 20", 'u', AT(ptime_ms), 10,
     60},
    {"--min-mos", "X", "exit with 10 when the MOS of a call is lower", 'd', AT(min_mos), 1, 5},
    {"--json", NULL, "results as one JSON document, schema 1", 'b', AT(json), 0, 0},
    {"--keylog", "PATH", "keys for Wireshark: a folder (with /) or a file; secret!", 's',
     AT(keylog), 0, 0},
    {"--pcapng", "FILE", "capture of each layer", 's', AT(pcapng), 0, 0},
    {"--layers", "LIST", "of outer,ike,l2tp,ppp,inner for --pcapng; default all", 's', AT(layers),
     0, 0},
    {"--control", "PATH", "control socket", 's', AT(control), 0, 0},
    {"--quiet", NULL, "no progress on stderr", 'b', AT(quiet), 0, 0},
    {"--help", NULL, "this text", 'b', AT(help), 0, 0},
};

static const char exit_codes[] =
    "Results go to stdout, progress and errors to stderr.\n"
    "Exit codes: 0 done, 1 usage, 2 configuration, 3 unreachable, 4 timeout, 5 IPsec\n"
    "authentication, 6 PPP authentication, 7 negotiation, 8 closed by the peer, 9 permission,\n"
    "10 quality below --min-mos, 11 internal, 130 interrupted.\n";

static void print_options(FILE *f)
{
    (void)fprintf(f, "\nOptions:\n");
    for (size_t i = 0; i < sizeof options_table / sizeof options_table[0]; i++) {
        const struct option *o = &options_table[i];
        char left[40];
        (void)snprintf(left, sizeof left, "%s%s%s", o->name, o->argument != NULL ? " " : "",
                       o->argument != NULL ? o->argument : "");
        (void)fprintf(f, "  %-18s %s\n", left, o->help);
    }
    (void)fprintf(f, "  %-18s %s\n\n%s", "-v, -vv", "log of the library on stderr", exit_codes);
}

static void print_usage(FILE *f)
{
    (void)fprintf(f, "l2tpvoip %s: L2TP/IPsec for voice, wholly in userspace\n\n",
                  l2tpvoip_version());
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        (void)fprintf(f, "  l2tpvoip %s\n", verbs[i].usage);
    }
    (void)fprintf(f, "\n`l2tpvoip VERB --help` tells more of each.\n");
    print_options(f);
}

static int usage_error(const char *what, const char *word)
{
    (void)fprintf(stderr, "l2tpvoip: %s %s\nnext step: l2tpvoip --help\n", what, word);
    return CLI_USAGE;
}

static int set_option(struct cli_options *o, const struct option *opt, const char *value)
{
    char *at = (char *)o + opt->offset, *end = NULL;
    if (opt->kind == 'b') {
        *(bool *)(void *)at = true;
        return CLI_OK;
    }
    if (value == NULL) {
        return usage_error("no value for", opt->name);
    }
    if (opt->kind == 's') {
        memcpy(at, &value, sizeof value);
        return CLI_OK;
    }
    double real = strtod(value, &end);
    bool whole = opt->kind == 'd' || strspn(value, "0123456789") == strlen(value);
    if (end == value || *end != '\0' || !whole || !(real >= opt->min) || !(real <= opt->max)) {
        (void)fprintf(stderr, "l2tpvoip: %s takes a number from %u to %u\n", opt->name, opt->min,
                      opt->max);
        return CLI_USAGE;
    }
    if (opt->kind == 'd') {
        memcpy(at, &real, sizeof real);
    } else {
        unsigned number = (unsigned)real;
        memcpy(at, &number, sizeof number);
    }
    return CLI_OK;
}

static const struct option *find_option(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof options_table / sizeof options_table[0]; i++) {
        const char *name = options_table[i].name;
        if (strlen(name) == len && memcmp(name, word, len) == 0) {
            return &options_table[i];
        }
    }
    return NULL;
}

/* One option, "--name value" or "--name=value"; moves *i over its value. */
static int parse_option(struct cli_options *o, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    size_t len = strcspn(word, "=");
    if (word[1] == 'v' && strspn(word + 1, "v") == strlen(word + 1)) {
        o->verbose += (unsigned)strlen(word + 1);
        return CLI_OK;
    }
    if (strcmp(word, "-h") == 0) {
        o->help = true;
        return CLI_OK;
    }
    const struct option *opt = find_option(word, len);
    if (opt == NULL) {
        return usage_error("unknown option", word);
    }
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    if (opt->argument == NULL) {
        return value == NULL ? set_option(o, opt, NULL)
                             : usage_error("no value belongs to", opt->name);
    }
    if (value == NULL && *i + 1 < argc) {
        value = argv[++*i];
    }
    return value != NULL ? set_option(o, opt, value) : usage_error("a value is missing for", word);
}

static int parse(struct cli_options *o, int argc, char **argv)
{
    bool words_only = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!words_only && strcmp(word, "--") == 0) {
            words_only = true;
        } else if (!words_only && word[0] == '-' && word[1] != '\0') {
            int rc = parse_option(o, argc, argv, &i);
            if (rc != CLI_OK) {
                return rc;
            }
        } else if (o->verb == NULL) {
            o->verb = word;
        } else if (o->n_args < 2) {
            o->args[o->n_args++] = word;
        } else {
            return usage_error("one word too many:", word);
        }
    }
    return CLI_OK;
}

static bool codec_is_known(const char *name)
{
    static const char *const names[] = {"PCMA", "PCMU", "G722", "G729"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct cli_options o;
    memset(&o, 0, sizeof o);
    o.codec = "PCMA";
    o.count = 4;
    o.ptime_ms = 20;
    (void)setlocale(LC_CTYPE, "");
    int rc = parse(&o, argc, argv);
    if (rc != CLI_OK) {
        return rc;
    }
    if (o.verb == NULL) {
        print_usage(o.help ? stdout : stderr);
        return o.help ? CLI_OK : CLI_USAGE;
    }
    if (!codec_is_known(o.codec)) {
        return usage_error("unknown codec", o.codec);
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(o.verb, verbs[i].name) != 0) {
            continue;
        }
        if (o.help) {
            (void)printf("l2tpvoip %s\n\n%s", verbs[i].usage, verbs[i].help);
            print_options(stdout);
            return CLI_OK;
        }
        o.seconds = o.seconds != 0 ? o.seconds : verbs[i].run == cli_verb_demo ? 5 : 10;
        return verbs[i].run(&o);
    }
    return usage_error("unknown verb", o.verb);
}
