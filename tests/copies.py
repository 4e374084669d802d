# SPDX-License-Identifier: BSD-2-Clause
"""Copies of the golden recording: as it would be if its rings had overflowed in the middle (records of each CPU are gone, and
counted as CTF counts them, events_discarded), or with other names. For tests that have no machine to lose records on, or to
call a VM so."""
import os
import re
import shutil
import struct

PACKET, RECORD = 88, 56  # user/ctf_packet.h; a record of a CPU's stream
DISCARDED, CONTENT = 48, 56  # where the packet has them
TASK, NAME = 18, 21  # bpf/wire.h
LENGTHS = {16: 40, 17: 24, 18: 56, 19: 32, 20: 48, 21: 416}  # of the descriptors' records
NAME_AT, NAME_BYTES, COMM_AT, COMM_BYTES = 20, 96, 40, 16


def cut(data):
    """The packet without a sixth of its records; how many that are."""
    count = (len(data) - PACKET) // RECORD
    first, last = count // 3, count // 2
    data = data[:PACKET + first * RECORD] + data[PACKET + last * RECORD:]
    struct.pack_into("<Q", data, DISCARDED, last - first)
    struct.pack_into("<QQ", data, CONTENT, len(data) * 8, len(data) * 8)
    return data, last - first


def lossy(golden, to):
    """Returns how many records it lacks."""
    lost = 0
    shutil.copytree(golden, to)
    for name in os.listdir(to):
        path = os.path.join(to, name)
        with open(path, "rb") as f:
            data = bytearray(f.read())
        if not name.startswith("cpu") or len(data) <= PACKET:
            continue
        data, n = cut(data)
        lost += n
        with open(path, "wb") as f:
            f.write(data)
    path = os.path.join(to, "metadata")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for field, less in ("records", lost), ("event_bytes", lost * RECORD):
        text = re.sub(rf"\b{field} = (\d+);", lambda m, less=less: m.group(0).replace(m.group(1), str(int(m.group(1)) - less)), text)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return lost


def named(golden, to, names, comm=None):
    """VMs get the names in turn, as they are introduced; tasks the comm. Both are cut as KVM hosts' are."""
    shutil.copytree(golden, to)
    for file in os.listdir(to):
        path, turn = os.path.join(to, file), 0
        with open(path, "rb") as f:
            data = bytearray(f.read())
        at = PACKET if file.startswith("meta_") else len(data)
        while at < len(data):
            if data[at + 8] == NAME:
                data[at + NAME_AT:at + NAME_AT + NAME_BYTES] = field(names[turn % len(names)], NAME_BYTES)
                turn += 1
            elif data[at + 8] == TASK and comm is not None:
                data[at + COMM_AT:at + COMM_AT + COMM_BYTES] = field(comm, COMM_BYTES)
            at += LENGTHS.get(data[at + 8], RECORD)
        with open(path, "wb") as f:
            f.write(data)


def field(text, size):
    return (text if isinstance(text, bytes) else text.encode())[:size - 1].ljust(size, b"\0")
