"""Credentials in text that is no JSON: headers, URLs, TOML, broken frames, messages of exceptions."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

__all__ = ["MARK", "redact_text"]

MARK = re.compile(r"redacted:[0-9a-f]{8}(?:[0-9a-f]{8})?")
"""What stands in the place of a credential (16 digits: replaced by the back end already)."""

_NAME = (
    r"(?:pass[_. -]?wor[dt]|passwd|pass[_. -]?phrase|pass[_. -]?code|secret|authorization[_. -]?key|sim[_. -]?pin|"
    r"api[_. -]?key|private[_. -]?key|pre[_. -]?shared[_. -]?key|vpn[_. -]?key|\bpwd\b)"
)

# scheme://user:password@host, also with the slashes escaped as JSON allows
_USERINFO = re.compile(r"(?i)([a-z][a-z0-9+.\-]*:(?:\\?/){2})([^\s/\"'<>\\]+)@")
# Authorization: Basic dXNlcjpw
_HEADER = re.compile(
    r"(?i)((?:proxy-)?authorization\\*[\"']?\s*[:=,]\s*\\*[\"']?)((?:basic|bearer|digest|negotiate|token)\s+[^\"'\r\n\\]+)"
)
_HEADER_PLAIN = re.compile(r"(?im)^((?:proxy-authorization|authorization|cookie|set-cookie):[ \t]*)([^\r\n]+)")
_BASIC = re.compile(r"(?i)\b(basic\s+)([a-z0-9+/_\-]{4,}={0,2})")
_BEARER = re.compile(r"(?i)\b(bearer\s+)([a-z0-9._~+/\-]{16,}=*)")
# "password": "text", password = 'text', \"password\":\"text\"
_NAMED_QUOTED = re.compile(rf"(?i)({_NAME}[\w.\-]*\\*[\"']?\s*[:=]\s*)(\\*[\"'])(.*?)(\2|$)", re.MULTILINE)
_NAMED_BARE = re.compile(rf"(?i)({_NAME}[\w.\-]*\\*[\"']?\s*[:=]\s*)([^\s\"'\\,;&}}\]\[{{()<>]+)")
# "key":"AuthorizationKey", … "value":"text" in JSON that is broken: what belongs to what cannot be told any
# more, so every value of such a text goes
_VALUE = re.compile(r"(?i)(\\*\"(?:attribute_?value|value)\\*\"\s*:\s*)(\\*\")(.*?)(\2|$)", re.MULTILINE)
_VPN_KEY = re.compile(r"(?i)(\\*\"key\\*\"\s*:\s*)(\\*\")(.*?)(\2|$)", re.MULTILINE)
# the whole block, also one that is cut off; its lines may be joined by \\n as JSON writes them
_PEM_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^\"']*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?=[\"'])|\Z)")
_KEY_CODE = re.compile(r"(?i)(\\*\"id_?token\\*\"\s*:\s*)(\\*\")(.*?)(\2|$)", re.MULTILINE)
_NO_SECRET = {"true", "false", "null", "none"}


def redact_text(text: str, mark: Callable[[str], str]) -> str:
    """`text` with every credential replaced by what `mark` gives for it."""

    def keep_name(match: re.Match[str]) -> str:
        return match.group(1) + mark(match.group(2))

    def quoted(match: re.Match[str]) -> str:
        # A value that is empty hides nothing.
        hidden = mark(match.group(3)) if match.group(3) else ""
        return match.group(1) + match.group(2) + hidden + match.group(4)

    def bare(match: re.Match[str]) -> str:
        value = match.group(2)
        # "redacted:1234abcd" stands here when the text was clean already.
        done = value.lower() in _NO_SECRET or MARK.match(value)
        return match.group(0) if done else match.group(1) + mark(value)

    def userinfo(match: re.Match[str]) -> str:
        return f"{match.group(1)}{mark(match.group(2))}@"

    def basic(match: re.Match[str]) -> str:
        return keep_name(match) if _is_basic(match.group(2)) else match.group(0)

    if "PRIVATE KEY-----" in text:
        text = _PEM_KEY.sub(lambda match: mark(match.group(0)), text)
    if "@" in text:
        text = _USERINFO.sub(userinfo, text)
    low = text.lower()
    if "authorization" in low or "cookie" in low:
        text = _HEADER.sub(keep_name, text)
        text = _HEADER_PLAIN.sub(keep_name, text)
    if "basic" in low:
        text = _BASIC.sub(basic, text)
    if "bearer" in low:
        text = _BEARER.sub(keep_name, text)
    if re.search(_NAME, low):
        text = _VALUE.sub(quoted, text)
        text = _NAMED_QUOTED.sub(quoted, text)
        text = _NAMED_BARE.sub(bare, text)
    if "keycode" in low:
        text = _KEY_CODE.sub(quoted, text)
    if "vpn" in low:
        text = _VPN_KEY.sub(quoted, text)
    return text


def _is_basic(token: str) -> bool:
    """True when the word after "Basic" is user and password in base64, not a word of a sentence."""
    try:
        return b":" in base64.b64decode(token + "=" * (-len(token) % 4), altchars=None, validate=True)
    except (binascii.Error, ValueError):
        return False
