"""botocore's HTTP session over `wasi:http`.

botocore's own takes urllib3's connections over sockets and TLS; a task has neither, only `wasi:http`, where the host
makes the connection. [`install`] puts this module in the place of botocore's; nothing else of boto3 changes. Absent:
proxies, certificates and timeouts, which are the host's.
"""

import io
import sys
import weakref
from urllib.parse import urlsplit

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, HTTPClientError, ReadTimeoutError
from componentize_py_types import Err, Ok
from urllib3.exceptions import ProtocolError
from wit_world.imports import outgoing_handler, streams, types

# Those of the connection, which wasi:http leaves to the host, and refuses.
_HOSTS_OWN = {"connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}

_METHODS = {
    "GET": types.Method_Get(),
    "HEAD": types.Method_Head(),
    "POST": types.Method_Post(),
    "PUT": types.Method_Put(),
    "DELETE": types.Method_Delete(),
    "OPTIONS": types.Method_Options(),
    "PATCH": types.Method_Patch(),
}

_READ_BYTES = 64 * 1024


def install():
    """Makes this module `botocore.httpsession`. To be called before boto3 is imported."""
    import botocore

    sys.modules["botocore.httpsession"] = sys.modules[__name__]
    botocore.httpsession = sys.modules[__name__]


class URLLib3Session:
    """As botocore knows it: `send` and `close`. It is given settings for sockets and TLS, and needs none."""

    def __init__(self, **_settings):
        pass

    def close(self):
        pass

    def send(self, request):
        # Imported by now; at the top it would be imported in a circle.
        from botocore.awsrequest import AWSResponse

        outgoing, body = _head(request)
        try:
            # Sent before the body, so that the host takes the body while it is written.
            future = outgoing_handler.handle(outgoing, None)
            _write(body, request.body)
            answer = _wait(future)
        except Err as error:
            raise _exception(error.value, request) from error
        with answer, answer.headers() as fields:
            headers = {name: value.decode("latin-1") for name, value in fields.entries()}
            response = AWSResponse(request.url, answer.status(), headers, _Body(answer))
        if not request.stream_output:
            try:
                response.content
            except ProtocolError as error:
                raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error
        return response


def get_cert_path(verify):
    """What other modules of botocore ask this one for. There is no certificate to name."""
    return None


def _head(request):
    """The request without its body, and the body to write."""
    url = urlsplit(request.url)
    headers = []
    for name, value in request.headers.items():
        if name.lower() not in _HOSTS_OWN:
            headers.append((name, value if isinstance(value, bytes) else str(value).encode("utf-8")))
    try:
        outgoing = types.OutgoingRequest(types.Fields.from_list(headers))
        outgoing.set_method(_METHODS.get(request.method) or types.Method_Other(request.method))
        outgoing.set_scheme(types.Scheme_Https() if url.scheme == "https" else types.Scheme_Http())
        outgoing.set_authority(url.netloc)
        outgoing.set_path_with_query((url.path or "/") + (f"?{url.query}" if url.query else ""))
    except Err as error:
        raise HTTPClientError(error=f"wasi:http does not take this request: {error.value}") from error
    return outgoing, outgoing.body()


def _write(body, content):
    """Writes all of it: bytes, text, or something to read from."""
    if content is None:
        content = b""
    if isinstance(content, str):
        content = content.encode("utf-8")
    reader = io.BytesIO(content) if isinstance(content, (bytes, bytearray, memoryview)) else content
    with body.write() as stream:
        try:
            while piece := reader.read(_READ_BYTES):
                _write_piece(stream, piece)
            stream.blocking_flush()
        except Err as error:
            if not isinstance(error.value, streams.StreamError_Closed):
                raise
            # The host has enough of it: its answer says why.
    types.OutgoingBody.finish(body, None)


def _write_piece(stream, piece):
    piece = memoryview(piece.encode("utf-8") if isinstance(piece, str) else piece)
    while piece:
        room = stream.check_write()
        if room == 0:
            with stream.subscribe() as pollable:
                pollable.block()
            continue
        stream.write(bytes(piece[:room]))
        piece = piece[room:]


def _wait(future):
    """The answer's head. Raises `Err` with wasi:http's error code."""
    while (got := future.get()) is None:
        with future.subscribe() as pollable:
            pollable.block()
    # Two results: whether it was asked for the first time, and what came.
    inner = got.value
    while isinstance(inner, Ok):
        inner = inner.value
    if isinstance(inner, Err):
        raise inner
    return inner


def _exception(code, request):
    """botocore's exception for an error code, so that its retries hold for what may be tried again."""
    name = type(code).__name__.removeprefix("ErrorCode_")
    if name.startswith(("Dns", "Destination", "ConnectionRefused", "ConnectionTimeout")):
        return EndpointConnectionError(endpoint_url=request.url, error=name)
    if name in ("ConnectionReadTimeout", "HttpResponseTimeout"):
        return ReadTimeoutError(endpoint_url=request.url, error=name)
    if name in ("ConnectionTerminated", "HttpResponseIncomplete"):
        return ConnectionClosedError(error=name, request=request, endpoint_url=request.url)
    return HTTPClientError(error=name)


class _Body(io.BufferedReader):
    """An answer's body, with what botocore calls of urllib3's answer."""

    def __init__(self, answer):
        super().__init__(_RawBody(answer), _READ_BYTES)

    def stream(self, amt=_READ_BYTES, decode_content=None):
        while piece := self.read1(amt):
            yield piece


class _RawBody(io.RawIOBase):
    def __init__(self, answer):
        body = answer.consume()
        self._stream = body.stream()
        # The stream has to go before the body that it is of, or the task ends in a trap. The collector of cycles knows no
        # order; what a finalizer holds it leaves alone.
        self._release = weakref.finalize(self, _release, self._stream, body)

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self._release.alive:
            return 0
        try:
            piece = self._stream.blocking_read(len(buffer))
        except Err as error:
            if not isinstance(error.value, streams.StreamError_Closed):
                raise ProtocolError(f"the answer broke off: {error.value.value.to_debug_string()}") from error
            # Read to its end: nothing of it is kept on the host's side.
            self._release()
            return 0
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self):
        self._release()
        super().close()


def _release(stream, body):
    stream.__exit__(None, None, None)
    body.__exit__(None, None, None)
