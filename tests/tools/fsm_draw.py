#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the state machines (struct l2v_fsm_row tables) of source files as text tables for a README.
Usage: fsm_draw.py FILE.c…   (one block a table: state, event, next state, action)"""
import re
import sys


def tables(source):
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.S)
    for name, body in re.findall(r"struct l2v_fsm_row (\w+)\[[^\]]*\]\s*=\s*\{(.*?)\n\};", source, re.S):
        rows = re.findall(r"\{\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*\}", body)
        if rows:
            yield name, rows


def strip_prefix(words):
    """Drops what all names of a column begin with."""
    real = [w for w in words if w != "L2V_FSM_SAME"]
    prefix = real[0] if real else ""
    for word in real:
        while not word.startswith(prefix):
            prefix = prefix[:-1]
    prefix = prefix[:prefix.rfind("_") + 1]
    return ["(same)" if w == "L2V_FSM_SAME" else w[len(prefix):].lower().replace("_", "-") for w in words]


def main():
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as f:
            for name, rows in tables(f.read()):
                columns = list(zip(*rows))
                states = strip_prefix(columns[0] + columns[2])
                events = strip_prefix(columns[1])
                actions = ["-" if a == "NULL" else a for a in columns[3]]
                print(f"{name}\n")
                for i in range(len(rows)):
                    print(f"    {states[i]:<20} {events[i]:<20} {states[len(rows) + i]:<20} {actions[i]}")
                print()


if __name__ == "__main__":
    main()
