"""What S3 and its client answer when something is wrong, in words that name the remedy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from eval_pipeline.storage.objects import object_missing, store_unavailable

_SHOWN_CHARACTERS = 300
_ABSENT_CODES = frozenset({"NoSuchKey", "404"})  # HEAD has no body that could say more
_ACCESS_CODES = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "403", "401"}
)
_CHECK_ACCESS = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, the region and the bucket's policy"
_CHECK_SERVICE = "check AWS_ENDPOINT_URL_S3 and that the service answers, then retry; what is stored is kept"


@contextmanager
def s3_errors_explained(url: str, *, check_bucket: str) -> Iterator[None]:
    """Raise what the service refuses at ``url`` as an error that a person can act on.

    Args:
        url: the object or prefix.
        check_bucket: what to do when there is no such bucket.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in _ABSENT_CODES:
            raise object_missing(url) from error
        reason = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
        hint = check_bucket if code == "NoSuchBucket" else _CHECK_ACCESS if code in _ACCESS_CODES else _CHECK_SERVICE
        raise store_unavailable(url, reason=_without_credentials(reason), hint=hint) from error
    except BotoCoreError as error:
        hint = _CHECK_ACCESS if "redential" in type(error).__name__ else _CHECK_SERVICE
        raise store_unavailable(url, reason=_without_credentials(str(error)), hint=hint) from error


def error_code(error: ClientError) -> str:
    """Return the service's own name of what is wrong."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _without_credentials(reason: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//", reason)[:_SHOWN_CHARACTERS]
