"""The names that S3 has: AWS's endpoints of each region, and a name below each for virtual-host addressing.

From AWS's "Amazon S3 endpoints and quotas"; the regions are botocore's, in `regions.txt`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["HOSTS", "regions"]


@cache
def regions() -> tuple[str, ...]:
    """AWS's regions that have S3."""
    return tuple(files(__package__).joinpath("regions.txt").read_text("ascii").split())


def _endpoints(region: str) -> tuple[str, ...]:
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    names = (f"s3.{region}", f"s3-{region}", f"s3.dualstack.{region}", f"s3-fips.{region}")
    return tuple(f"{name}.{domain}" for name in names)


def _hosts() -> tuple[str, ...]:
    plain = ["s3.amazonaws.com", "s3-accelerate.amazonaws.com", "s3-accelerate.dualstack.amazonaws.com"]
    plain += ["s3-external-1.amazonaws.com", "s3.localhost", "s3.localhost.localstack.cloud"]
    plain += [endpoint for region in regions() for endpoint in _endpoints(region)]
    return (*plain, *(f"*.{endpoint}" for endpoint in plain))


HOSTS = _hosts()
