/* SPDX-License-Identifier: MIT */
/* Replays seeds through a fuzz target without libFuzzer, each whole and cut at every power of two,
 * and what once was a finding (data/fuzz/NAME).
 * Usage: fuzz_NAME VECTORS_DIR TESTS_DIR NAME, or fuzz_NAME FILE…, or, for a soak without
 * instrumentation, fuzz_NAME --mutate COUNT SEED FILE…: COUNT random changes of the files. An input
 * that ends the program is left in ./fuzz-last. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

#define MAX_FILE 65536

static unsigned n_files;

/* An exact copy on the heap, so that AddressSanitizer sees the first byte too many. */
static void feed(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) {
        exit(1);
    }
    memcpy(copy, data, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void replay_file(const char *path)
{
    static uint8_t data[MAX_FILE];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return;
    }
    size_t len = fread(data, 1, sizeof data, f);
    (void)fclose(f);
    feed(data, len);
    for (size_t cut = 1; cut < len; cut *= 2) {
        feed(data, cut);
        feed(data, len - cut);
    }
    n_files++;
}

static void replay_folder(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char file[8192];
        struct stat st;
        (void)snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
            replay_file(file);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

/* A folder of a line of seeds.txt: data/… lies below tests/, all others below the vectors. */
static void replay_line(char *line, const char *vectors, const char *tests, const char *name)
{
    char *save = NULL;
    char *word = strtok_r(line, " \n", &save);
    if (word == NULL || strcmp(word, name) != 0) {
        return;
    }
    while ((word = strtok_r(NULL, " \n", &save)) != NULL) {
        char path[4096];
        bool own = strncmp(word, "data/", 5) == 0;
        (void)snprintf(path, sizeof path, "%s/%s", own ? tests : vectors, word);
        replay_folder(path);
    }
}

static int replay_seeds(const char *vectors, const char *tests, const char *name)
{
    char line[1024];
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/fuzz/seeds.txt", tests);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        return 1;
    }
    while (fgets(line, sizeof line, f) != NULL) {
        replay_line(line, vectors, tests, name);
    }
    (void)fclose(f);
    (void)snprintf(path, sizeof path, "%s/data/fuzz/%s", tests, name);
    replay_folder(path);
    if (n_files == 0) {
        printf("skip fuzz_seeds_%s: no seeds below %s\n", name, vectors);
        return 77; /* meson: skipped */
    }
    printf("%u seeds\n", n_files);
    return 0;
}

/* --- random changes ------------------------------------------------------------------------------
 */

#define MOST_FILES 1024
#define LONGEST 4096

struct input {
    uint8_t *data;
    size_t len;
};

static uint64_t draw(uint64_t *seed, uint64_t bound)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

static size_t load(char **paths, int n, struct input *inputs)
{
    size_t n_inputs = 0;
    for (int i = 0; i < n && n_inputs < MOST_FILES; i++) {
        FILE *f = fopen(paths[i], "rb");
        uint8_t *data = malloc(LONGEST);
        if (f == NULL || data == NULL) {
            exit(1);
        }
        inputs[n_inputs].data = data;
        inputs[n_inputs++].len = fread(data, 1, LONGEST / 2, f);
        (void)fclose(f);
    }
    return n_inputs;
}

/* Puts a piece of another input, or random bytes, at a place: over what is there, or in between. */
static void splice(struct input *to, const struct input *from, uint64_t *seed)
{
    uint8_t piece[64];
    size_t n = 1 + draw(seed, sizeof piece), at = draw(seed, to->len + 1);
    bool insert = draw(seed, 2) == 0 && to->len + n <= LONGEST;
    size_t start = draw(seed, from->len + 1);
    for (size_t i = 0; i < n; i++) {
        bool copied = start + i < from->len;
        piece[i] = copied ? from->data[start + i] : (uint8_t)draw(seed, 256);
    }
    if (insert) {
        memmove(to->data + at + n, to->data + at, to->len - at);
        to->len += n;
    }
    n = n < to->len - at ? n : to->len - at;
    memcpy(to->data + at, piece, n);
}

static void change(struct input *in, const struct input *other, uint64_t *seed)
{
    size_t at = in->len > 0 ? draw(seed, in->len) : 0;
    switch (draw(seed, 4)) {
    case 0:
        if (in->len > 0) {
            in->data[at] = (uint8_t)draw(seed, 256);
        }
        break;
    case 1:
        if (in->len > 0) {
            in->data[at] ^= (uint8_t)(1u << draw(seed, 8));
        }
        break;
    case 2: {
        size_t n = in->len > 0 ? draw(seed, in->len - at < 32 ? in->len - at : 32) : 0;
        memmove(in->data + at, in->data + at + n, in->len - at - n);
        in->len -= n;
        break;
    }
    default:
        splice(in, other, seed);
        break;
    }
}

static void keep(const struct input *in)
{
    FILE *f = fopen("fuzz-last", "wb");
    if (f != NULL) {
        (void)fwrite(in->data, 1, in->len, f);
        (void)fclose(f);
    }
}

static int mutate(unsigned long count, uint64_t seed, char **paths, int n_paths)
{
    static struct input inputs[MOST_FILES];
    static uint8_t data[LONGEST + 64];
    size_t n = load(paths, n_paths, inputs);
    for (unsigned long i = 0; n > 0 && i < count; i++) {
        const struct input *base = &inputs[draw(&seed, n)];
        struct input in = {data, base->len};
        memcpy(data, base->data, base->len);
        for (uint64_t k = 1 + draw(&seed, 8); k > 0; k--) {
            change(&in, &inputs[draw(&seed, n)], &seed);
        }
        keep(&in);
        feed(in.data, in.len);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct stat st;
    if (LLVMFuzzerInitialize != NULL) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    if (argc > 4 && strcmp(argv[1], "--mutate") == 0) {
        return mutate(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), argv + 4, argc - 4);
    }
    if (argc == 4 && (stat(argv[1], &st) != 0 || S_ISDIR(st.st_mode))) {
        return replay_seeds(argv[1], argv[2], argv[3]);
    }
    for (int i = 1; i < argc; i++) {
        replay_file(argv[i]);
    }
    return 0;
}
