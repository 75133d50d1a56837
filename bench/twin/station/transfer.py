"""Downloads and uploads over HTTP, with the standard library, in a thread each."""

from __future__ import annotations

import asyncio
import base64
import ssl
import urllib.error
import urllib.parse
import urllib.request

__all__ = ["download", "upload"]

_TIMEOUT_S = 20.0
_MOST_BYTES = 64 * 1024 * 1024


async def download(url: str, context: ssl.SSLContext | None) -> bytes | str:
    """The content behind a URL, or why there is none."""
    return await asyncio.to_thread(_exchange, urllib.request.Request, url, None, context)


async def upload(url: str, name: str, data: bytes, context: ssl.SSLContext | None) -> str | None:
    """PUT a file below a URL that ends in a slash, else at the URL itself; returns None, or why it failed."""
    target = url + name if url.endswith("/") else url
    answer = await asyncio.to_thread(_exchange, urllib.request.Request, target, data, context)
    return answer if isinstance(answer, str) else None


def _exchange(
    request_type: type[urllib.request.Request], url: str, data: bytes | None, context: ssl.SSLContext | None
) -> bytes | str:
    try:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return f"{parts.scheme or 'no scheme'}: only http and https are spoken"
        netloc = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        clean = urllib.parse.urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
        request = request_type(clean, data=data, method="GET" if data is None else "PUT")
        if parts.username is not None:
            pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        with urllib.request.build_opener(*handlers).open(request, timeout=_TIMEOUT_S) as answer:
            content = answer.read(_MOST_BYTES + 1)
            wanted = answer.headers.get("Content-Length")
    except (OSError, ValueError, urllib.error.URLError) as error:
        return str(error) or repr(error)
    except Exception as error:  # noqa: BLE001 - http.client has errors of its own, such as an incomplete body
        return repr(error)
    if data is None and wanted is not None and len(content) != int(wanted):
        return f"{len(content)} of {wanted} bytes came"
    return content if len(content) <= _MOST_BYTES else "too large"
