#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lints of what was built: prefixed symbols, no writable data, exports that match the headers, headers
that compile alone. Usage: lint_binary.py BUILD_DIR"""
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build")
LIB = os.path.join(BUILD, "lib")


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, check=True).stdout


def check_prefixes():
    """A static archive has a flat symbol table: nothing in it may collide with the host program."""
    for archive in ("libl2tpvoip.a", "libl2tpvoip-uv.a", "config/libl2tpvoip-config.a"):
        path = os.path.join(LIB, archive)
        if not os.path.exists(path):
            continue
        for line in run("nm", "-g", "--defined-only", path).splitlines():
            parts = line.split()
            if len(parts) == 3 and not re.match(r"(l2v_|l2tpvoip_)", parts[2]):
                yield f"{archive}: {parts[2]}"


def check_writable():
    """No writable static storage in the library (read-only after relocation is fine)."""
    for obj in glob.glob(os.path.join(LIB, "**", "*.o"), recursive=True):
        for line in run("objdump", "-h", obj).splitlines():
            m = re.match(r"\s*\d+\s+(\.data|\.bss|\.tdata|\.tbss)(\.\S+)?\s+([0-9a-f]+)", line)
            if m and int(m.group(3), 16) != 0 and not (m.group(2) or "").startswith(".rel.ro"):
                yield f"{os.path.relpath(obj, LIB)}: {m.group(1)}{m.group(2) or ''} has {int(m.group(3), 16)} bytes"


def declared(headers):
    names = set()
    for path in headers:
        with open(path, encoding="utf-8") as f:
            body = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        for decl in re.findall(r"L2TPVOIP_API([^;]*);", body):
            names.add(re.search(r"(l2tpvoip_\w+)\s*\(", decl).group(1))
    return names


def check_exports():
    inc = os.path.join(ROOT, "include", "l2tpvoip")
    parts = {"libl2tpvoip.so": [p for p in glob.glob(inc + "/*.h") if os.path.basename(p) not in ("uv.h", "config.h")],
             "libl2tpvoip-uv.so": [inc + "/uv.h"], "config/libl2tpvoip-config.so": [inc + "/config.h"]}
    for lib, headers in parts.items():
        path = os.path.join(LIB, lib)
        if not os.path.exists(path):
            continue
        exported = {re.sub(r"@.*", "", line.split()[-1]) for line in
                    run("nm", "-D", "--defined-only", path).splitlines() if " A " not in line}
        want = declared(headers)
        for name in sorted(want - exported):
            yield f"{lib}: {name} is declared and not exported"
        for name in sorted(exported - want):
            yield f"{lib}: {name} is exported and not declared"


def check_headers():
    with tempfile.TemporaryDirectory() as tmp:
        headers = ["l2tpvoip.h"] + sorted("l2tpvoip/" + os.path.basename(p) for p in
                                          glob.glob(os.path.join(ROOT, "include/l2tpvoip/*.h")))
        for header in headers:
            source = os.path.join(tmp, "alone.c")
            with open(source, "w", encoding="utf-8") as f:
                f.write(f"#include <{header}>\n#include <{header}>\nint main(void) {{ return 0; }}\n")
            # libuv's own header is not strict C99.
            c99 = ["gcc", "-std=gnu99"] if header.endswith("/uv.h") else ["gcc", "-std=c99", "-pedantic"]
            for compiler in (c99 + ["-Wstrict-prototypes"], ["g++", "-x", "c++", "-std=c++11"]):
                r = subprocess.run(compiler + ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I",
                                               os.path.join(ROOT, "include"), source], capture_output=True, text=True)
                if r.returncode != 0:
                    yield f"{header} with {compiler[0]}: {r.stderr.splitlines()[0]}"


def check_needed():
    """The library itself links libc, libm and libcrypto alone."""
    path = os.path.join(LIB, "libl2tpvoip.so")
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", path)):
        if not re.match(r"lib(c|m|crypto|pthread|asan|ubsan)\.so", name):
            yield f"libl2tpvoip.so needs {name}"


CHECKS = [("symbol-prefixes", check_prefixes), ("writable-data", check_writable), ("exports", check_exports),
          ("headers-alone", check_headers), ("needed", check_needed)]


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
