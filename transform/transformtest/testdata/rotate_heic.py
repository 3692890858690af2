"""Adds an irot property to a HEIC file: rotate_heic.py IN OUT QUARTERS (anticlockwise)."""
import struct
import sys

data = bytearray(open(sys.argv[1], "rb").read())


def find(*path):
    """Returns the offsets of the boxes along path."""
    offsets, start, end = [], 0, len(data)
    for name in path:
        at = start
        while bytes(data[at + 4:at + 8]) != name:
            at += struct.unpack_from(">I", data, at)[0]
            if at >= end:
                raise SystemExit("no box " + name.decode())
        offsets.append(at)
        start, end = at + (12 if name == b"meta" else 8), at + struct.unpack_from(">I", data, at)[0]
    return offsets


def insert(at, what, inside):
    data[at:at] = what
    for box in inside:
        struct.pack_into(">I", data, box, struct.unpack_from(">I", data, box)[0] + len(what))


# The property goes behind the others in ipco, which stands before ipma.
meta, iprp, ipco = find(b"meta", b"iprp", b"ipco")
end = ipco + struct.unpack_from(">I", data, ipco)[0]
count, at = 0, ipco + 8
while at < end:
    count, at = count + 1, at + struct.unpack_from(">I", data, at)[0]
insert(end, struct.pack(">I", 9) + b"irot" + bytes([int(sys.argv[3])]), [meta, iprp, ipco])

# It belongs to the primary item.
primary = struct.unpack_from(">H", data, find(b"meta", b"pitm")[-1] + 12)[0]
meta, iprp, ipma = find(b"meta", b"iprp", b"ipma")
at = ipma + 16
while struct.unpack_from(">H", data, at)[0] != primary:
    at += 3 + data[at + 2]
data[at + 2] += 1
insert(at + 2 + data[at + 2], bytes([0x80 | (count + 1)]), [meta, iprp, ipma])

# Items in the file, not those in idat, have moved by the ten bytes.
iloc = find(b"meta", b"iloc")[-1]
assert data[iloc + 8] == 1 and data[iloc + 12] == 0x44
base = data[iloc + 13] >> 4
at = iloc + 16
for _ in range(struct.unpack_from(">H", data, iloc + 14)[0]):
    method = struct.unpack_from(">H", data, at + 2)[0] & 15
    extents = struct.unpack_from(">H", data, at + 6 + base)[0]
    at += 8 + base
    for _ in range(extents):
        if method == 0:
            struct.pack_into(">I", data, at, struct.unpack_from(">I", data, at)[0] + 10)
        at += 8
open(sys.argv[2], "wb").write(data)
