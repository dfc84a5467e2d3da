#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lints of the source tree: layers, budgets, parsing, names. One line a check; exit 1 on any finding."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Which internal headers a module may include: its own and those of these modules.
LAYERS = {
    "base": [], "crypto": ["base"], "eap": ["base", "crypto"], "esp": ["base", "crypto"],
    "l2tp": ["base", "crypto"], "ike": ["base", "crypto", "eap"], "ppp": ["base", "crypto", "eap"],
    "aaa": ["base", "crypto", "eap"], "inet": ["base"], "voip": ["base", "inet"],
    "tunnel": ["base", "crypto", "eap", "esp", "l2tp", "ike", "ppp", "inet", "voip", "aaa"],
    "api": ["base", "crypto", "eap", "esp", "l2tp", "ike", "ppp", "inet", "voip", "aaa", "tunnel"],
    "io": [], "config": [],
}
SOCKET_HEADERS = r"sys/socket|netinet/|arpa/inet|netdb|net/if|poll\.h|sys/epoll|sys/eventfd|linux/|sys/un"
MAX_FILE, MAX_FUNCTION, MAX_README = 1000, 120, 60


def tracked(*patterns):
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard",
                          *patterns], capture_output=True, text=True, check=True).stdout
    return [p for p in out.splitlines() if os.path.isfile(os.path.join(ROOT, p))]


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def code(path):
    """The text without comments and string contents, line numbers kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0)) if m.group(0)[0] == "/" else '""'
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text(path), flags=re.S)


def module_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "lib" and len(parts) > 2 else None


def lib_files():
    return tracked("lib/**/*.c", "lib/**/*.h")


def grep(files, pattern, allow=lambda path: False):
    for path in files:
        if allow(path):
            continue
        for number, line in enumerate(code(path).splitlines(), 1):
            if re.search(pattern, line):
                yield f"{path}:{number}: {line.strip()[:90]}"


def check_layers():
    owner = {os.path.basename(p): module_of(p) for p in lib_files() if p.endswith(".h")}
    for path in lib_files():
        module = module_of(path)
        for name in re.findall(r'^#include\s+"([^"]+)"', text(path), re.M):
            target = owner.get(name)
            if target is None:
                yield f"{path}: includes {name}, which is no header of the tree"
            elif target != module and target not in LAYERS[module]:
                yield f"{path}: {module} may not include {name} of {target}"
    for path in tracked("examples/**/*.c", "examples/*.c", "lib/io/*.c", "lib/config/*.c"):
        for name in re.findall(r'^#include\s+"([^"]+)"', text(path), re.M):
            if name in owner and owner[name] != module_of(path):
                yield f"{path}: includes the internal header {name}"


def check_foreign_headers():
    rules = [
        (r"^#include\s+<openssl/", lambda p: re.match(r"lib/crypto/crypto_openssl[^/]*\.c$", p)),
        (r"^#include\s+<uv\.h>", lambda p: p in ("lib/io/io_uv.c", "include/l2tpvoip/uv.h")),
        (r"^#include\s+<yaml\.h>", lambda p: p.startswith("lib/config/")),
        (r"^#include\s+<(" + SOCKET_HEADERS + ")", lambda p: p.startswith("lib/io/")),
        (r"^#include\s+<(pthread|sys/time|time|unistd|signal|fcntl)\.h>",
         lambda p: p.startswith(("lib/io/", "lib/config/")) or p == "lib/api/api_guard.c"),
    ]
    for pattern, allowed in rules:
        for path in lib_files() + tracked("include/**/*.h"):
            if allowed(path):
                continue
            for number, line in enumerate(text(path).splitlines(), 1):
                if re.search(pattern, line):
                    yield f"{path}:{number}: {line.strip()}"


def check_pure_core():
    """No clock, environment, random, exit or stdio output below the backends."""
    core = [p for p in lib_files() if module_of(p) not in ("io", "config")]
    yield from grep(core, r"(?<![.>])\b(getenv|secure_getenv|time|clock_gettime|gettimeofday|rand|random|srand|"
                          r"abort|exit|printf|fprintf|puts|perror)\s*\(")


def check_parsing():
    """Wire data goes through the bounded reader: no casts onto buffers, no pointer walking."""
    core = [p for p in lib_files() if module_of(p) not in ("io", "config", "base")]
    yield from grep(core, r"\b(ntoh[sl]|hton[sl]|be\d+toh|htobe\d+)\s*\(")
    yield from grep(core, r"\*\s*\(\s*(const\s+)?u?int(8|16|32|64)_t\s*\*\s*\)")
    yield from grep(core, r"=\s*\*\s*[a-z_]+\s*\+\+")


def functions(path):
    """(line, name, length) of each function: K&R braces in column 0."""
    lines = code(path).splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, lines[start - 2].strip(), number - start + 1
            start = None


def check_budgets():
    for path in tracked("lib/**/*.[ch]", "include/**/*.h", "examples/**/*.c", "examples/*.c", "tests/**/*.[ch]"):
        if path.startswith("tests/data/"):
            continue
        n = text(path).count("\n")
        if n > MAX_FILE:
            yield f"{path}: {n} lines, at most {MAX_FILE}"
        if path.endswith(".c"):
            for line, name, length in functions(path):
                if length > MAX_FUNCTION and not path.startswith("tests/"):
                    yield f"{path}:{line}: {length} lines, at most {MAX_FUNCTION}: {name[:60]}"
    for path in tracked("lib/*/README.md"):
        n = text(path).count("\n")
        if n > MAX_README:
            yield f"{path}: {n} lines, at most {MAX_README}"


def check_names():
    seen = {}
    for path in tracked("lib/**/*.[ch]", "examples/**/*.[ch]", "examples/*.[ch]", "tests/**/*.[ch]"):
        base = os.path.basename(path)
        if base in seen:
            yield f"{path}: basename is also {seen[base]}"
        seen[base] = path
    for path in tracked("lib/**/*.[ch]", "include/**/*.h", "examples/**/*.[ch]", "tests/**/*.[ch]"):
        if not text(path).startswith("/* SPDX-License-Identifier: MIT */"):
            yield f"{path}: first line is not the licence"
    for module in LAYERS:
        if not os.path.exists(os.path.join(ROOT, "lib", module, "README.md")):
            yield f"lib/{module}/README.md is missing"


def check_readme():
    """The example of the README is the one that is compiled."""
    block = re.search(r"```c\n(.*?)```", text("README.md"), re.S).group(1)
    if block != text("examples/00_hello.c").split("\n", 1)[1]:
        yield "README.md: its example is not examples/00_hello.c"
    for path in tracked("README.md", "lib/README.md", "lib/*/README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", text(path)):
            if not os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
                yield f"{path}: links to {target}, which is not there"


def check_machine():
    """No path of the machine that it was written on."""
    here = os.path.dirname(ROOT).rstrip("/") + "/"
    common = {"/", "/tmp/", "/root/", "/home/", "/usr/", "/var/", "/opt/", "/src/", "/build/", "/lib/", "/tests/"}
    for path in tracked() if here not in common else []:
        try:
            for number, line in enumerate(text(path).splitlines(), 1):
                if here in line:
                    yield f"{path}:{number}: {line.strip()[:80]}"
        except UnicodeDecodeError:
            pass


CHECKS = [
    ("layers", check_layers), ("foreign-headers", check_foreign_headers), ("pure-core", check_pure_core),
    ("wire-parsing", check_parsing), ("budgets", check_budgets), ("names", check_names),
    ("readme", check_readme), ("machine-paths", check_machine),
]


def main():
    failed = 0
    for name, check in CHECKS:
        findings = list(check())
        print(f"{'FAIL' if findings else 'ok  '} lint/{name}" + (f": {len(findings)} findings" if findings else ""))
        for finding in findings[:40]:
            print(f"     {finding}")
        failed += bool(findings)
    print(f"{len(CHECKS) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
