"""The content of a put or part: unframed, summed and checked while it streams, so that it is read once.

Rule: a payload is good only when its iteration has ended without a fault; nothing of it may be kept before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from durable_replay.http import Body, Headers
from durable_s3.checksums import Algorithm, Checksummer, check, check_md5, claimed, content_md5
from durable_s3.chunked import ChunkSignatures, Decoder, is_chunked
from durable_s3.errors import S3Fault

__all__ = ["Payload"]

_HEX_SHA256 = re.compile("[0-9a-fA-F]{64}")


class Payload:
    """Iterate it once for the content; then `size`, `md5`, `value` of the algorithm, and `trailers` are known.

    `algorithm` is the client's, else `default` (AWS computes CRC64NVME when no sum is sent). Faults about headers are
    raised at once, those about the content at the end of the iteration: BadDigest, XAmzContentSHA256Mismatch,
    IncompleteBody, MalformedTrailerError, SignatureDoesNotMatch.
    """

    def __init__(
        self,
        body: Body,
        headers: Headers,
        default: Algorithm = Algorithm.CRC64NVME,
        signatures: ChunkSignatures | None = None,
    ) -> None:
        self._claim, self._md5 = claimed(headers), content_md5(headers)
        content = headers.get("x-amz-content-sha256")
        self._sha256 = content.lower() if _HEX_SHA256.fullmatch(content) else ""
        self.algorithm = self._claim.algorithm if self._claim else default
        self._sums = Checksummer({self.algorithm} | ({Algorithm.SHA256} if self._sha256 else set()))
        self._decoder = Decoder(body, headers, signatures) if is_chunked(headers) else None
        self._pieces: Iterator[bytes] = iter(self._decoder) if self._decoder else body.chunks()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._sums.update(piece)
            yield piece
        self._check()

    @property
    def size(self) -> int:
        """Content bytes seen so far."""
        return self._sums.size

    @property
    def md5(self) -> bytes:
        """The MD5 of the content so far."""
        return self._sums.md5

    @property
    def value(self) -> str:
        """The sum of the content so far by `algorithm`, in base64."""
        return self._sums.value(self.algorithm)

    @property
    def is_claimed(self) -> bool:
        """Whether the client said a sum of its own."""
        return self._claim is not None

    @property
    def trailers(self) -> Headers:
        """What followed the content."""
        return self._decoder.trailers if self._decoder else Headers()

    def _check(self) -> None:
        if self._sha256 and self._sha256 != (found := self._sums.hex(Algorithm.SHA256)):
            raise S3Fault(
                "XAmzContentSHA256Mismatch",
                ClientComputedContentSHA256=self._sha256,
                S3ComputedContentSHA256=found,
            )
        check_md5(self._md5, self.md5)
        if self._claim:
            said = self._claim.value or self.trailers.get(self.algorithm.header)
            check(self.algorithm, said, self.value)
