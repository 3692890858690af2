"""Writes a minimal CMYK profile, OUT: white times what the inks let through, on two grid points an axis."""
import struct
import sys


def lab(r,g,b):
    def lin(c): return c/12.92 if c<=0.04045 else ((c+0.055)/1.055)**2.4
    r,g,b=map(lin,(r,g,b))
    # linear sRGB to XYZ, adapted to D50
    x=0.4360747*r+0.3850649*g+0.1430804*b; y=0.2225045*r+0.7168786*g+0.0606169*b; z=0.0139322*r+0.0971045*g+0.7141733*b
    f=lambda t: t**(1/3) if t>216/24389 else (24389/27*t+16)/116
    fx,fy,fz=f(x/0.96422),f(y),f(z/0.82521)
    return 116*fy-16,500*(fx-fy),200*(fy-fz)
grid=b''
for c in (0,1):
  for m in (0,1):
    for y in (0,1):
      for k in (0,1):
        L,a,b=lab((1-c)*(1-k),(1-m)*(1-k),(1-y)*(1-k))
        grid+=bytes(max(0,min(255,round(v))) for v in (L*2.55,a+128,b+128))
ident=bytes(range(256))
lut=b'mft1'+bytes(4)+bytes([4,3,2,0])+struct.pack('>9i',65536,0,0,0,65536,0,0,0,65536)+ident*4+grid+ident*3
lut+=bytes(-len(lut)%4)
desc=b'desc'+bytes(4)+struct.pack('>I',12)+b'plain cmyk\0\0'+bytes(8)+bytes(3)+bytes(67)
desc+=bytes(-len(desc)%4)
cprt=b'text'+bytes(4)+b'CC0\0'
wtpt=b'XYZ '+bytes(4)+struct.pack('>3i',0xf6d6,0x10000,0xd32d)
tags=[(b'desc',desc),(b'cprt',cprt),(b'wtpt',wtpt),(b'A2B0',lut)]
off=128+4+12*len(tags); table=struct.pack('>I',len(tags)); body=b''
for n,t in tags:
    table+=n+struct.pack('>II',off+len(body),len(t)); body+=t
size=128+len(table)+len(body)
head=struct.pack('>I',size)+b'none'+bytes([2,0x40,0,0])+b'prtr'+b'CMYK'+b'Lab '+struct.pack('>6H',2026,1,1,0,0,0)+b'acsp'
head+=bytes(4*4+8+4)+struct.pack('>3I',0xf6d6,0x10000,0xd32d)
head+=bytes(128-len(head))
open(sys.argv[1], 'wb').write(head+table+body)
