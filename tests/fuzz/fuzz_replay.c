/* SPDX-License-Identifier: MIT */
/* Replays seeds through a fuzz target without libFuzzer, each whole and cut at every power of two,
 * and what once was a finding (data/fuzz/NAME).
 * Usage: fuzz_NAME VECTORS_DIR TESTS_DIR NAME, or fuzz_NAME FILE… */
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

int main(int argc, char **argv)
{
    struct stat st;
    if (LLVMFuzzerInitialize != NULL) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    if (argc == 4 && (stat(argv[1], &st) != 0 || S_ISDIR(st.st_mode))) {
        return replay_seeds(argv[1], argv[2], argv[3]);
    }
    for (int i = 1; i < argc; i++) {
        replay_file(argv[i]);
    }
    return 0;
}
