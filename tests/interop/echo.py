#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""UDP echo. Usage: echo.py ADDRESS PORT"""
import socket
import sys

family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as s:
    s.bind((sys.argv[1], int(sys.argv[2])))
    while True:
        data, peer = s.recvfrom(65535)
        s.sendto(data, peer)
