/* SPDX-License-Identifier: MIT */
/* A host that loads and unloads the library again and again (a PBX module). Usage: reload LIBRARY */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <l2tpvoip/context.h>

typedef void (*init_fn)(l2tpvoip_context_options *options, size_t size);
typedef int (*new_fn)(const l2tpvoip_context_options *options, uint64_t now_ns, l2tpvoip_context **ret);
typedef void (*free_fn)(l2tpvoip_context *ctx);

/* ISO C has no cast from object to function pointer. */
static int find(void *lib, const char *name, void *ret_fn)
{
    void *p = dlsym(lib, name);
    memcpy(ret_fn, &p, sizeof p);
    return p != NULL;
}

static int load_once(const char *path)
{
    init_fn init;
    new_fn make;
    free_fn drop;
    l2tpvoip_context_options co;
    l2tpvoip_context *ctx = NULL;
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (lib == NULL || !find(lib, "l2tpvoip_context_options_init", &init) ||
        !find(lib, "l2tpvoip_context_new", &make) || !find(lib, "l2tpvoip_context_free", &drop)) {
        (void)fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    init(&co, sizeof co);
    if (make(&co, 1, &ctx) != 0) {
        return 1;
    }
    drop(ctx);
    return dlclose(lib);
}

int main(int argc, char **argv)
{
    for (int i = 0; i < 50; i++) {
        if (argc != 2 || load_once(argv[1]) != 0) {
            return 1;
        }
    }
    return 0;
}
