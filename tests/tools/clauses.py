#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lists RFC clauses that code cites (rfc2661#5.8) and no test does. Usage: clauses.py [--all]"""
import collections
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLAUSE = re.compile(r"\brfc(\d+)#([0-9A-Za-z]+(?:\.\d+)*)")


def cited(folder):
    found = collections.defaultdict(set)
    files = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", folder],
                           capture_output=True, text=True, check=True).stdout.split("\n")
    for path in files:
        if path.endswith((".c", ".h", ".py", ".sh")) and os.path.isfile(os.path.join(ROOT, path)):
            with open(os.path.join(ROOT, path), encoding="utf-8") as f:
                for rfc, clause in CLAUSE.findall(f.read()):
                    found[(int(rfc), clause)].add(path)
    return found


def main():
    code, tests = cited("lib"), cited("tests")
    untested = sorted(set(code) - set(tests))
    for rfc, clause in (sorted(code) if "--all" in sys.argv else untested):
        mark = "tested  " if (rfc, clause) in tests else "untested"
        print(f"{mark} rfc{rfc}#{clause}: {', '.join(sorted(code[(rfc, clause)]))}")
    print(f"{len(code)} clauses in code, {len(code) - len(untested)} with a test")


if __name__ == "__main__":
    main()
