# SPDX-License-Identifier: BSD-2-Clause
"""A copy of the golden recording as it would be if its rings had overflowed in the middle: records of each CPU are gone, and
counted as CTF counts them (events_discarded). For tests that have no machine to lose records on."""
import os
import re
import shutil
import struct

PACKET, RECORD = 88, 56  # user/ctf_packet.h; a record of a CPU's stream
DISCARDED, SIZES = 48, 56  # where the packet has them


def cut(data):
    """The packet without a sixth of its records; how many that are."""
    count = (len(data) - PACKET) // RECORD
    first, last = count // 3, count // 2
    data = data[:PACKET + first * RECORD] + data[PACKET + last * RECORD:]
    struct.pack_into("<Q", data, DISCARDED, last - first)
    struct.pack_into("<QQ", data, SIZES, len(data) * 8, len(data) * 8)
    return data, last - first


def copy(golden, to):
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
