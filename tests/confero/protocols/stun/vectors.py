"""The test vectors of RFC 5769 and of RFC 8489 appendix B.1 (as its erratum 6268 has it), as bytes."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parents[3] / "data" / "stun"
VECTORS = {path.stem: bytes.fromhex(path.read_text().replace("\n", " ")) for path in sorted(DATA.glob("*.hex"))}
REQUEST = VECTORS["rfc5769-2.1-request"]
IPV4_RESPONSE = VECTORS["rfc5769-2.2-ipv4-response"]
IPV6_RESPONSE = VECTORS["rfc5769-2.3-ipv6-response"]
LONG_TERM = VECTORS["rfc5769-2.4-long-term"]
SHA256_REQUEST = VECTORS["rfc8489-b.1-erratum-6268"]
SHORT_TERM_KEY = b"VOkJxbRl1RmTxUk/WvJxBt"
USERNAME = "\u30de\u30c8\u30ea\u30c3\u30af\u30b9"
PASSWORD = "TheMatrIX"
REALM = "example.org"
