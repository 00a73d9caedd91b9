"""Patients without their names: a keyed hash, so that recordings of one patient stay together.

The key lies in the workspace, beside the store and not in it: who has a copy of the database alone
cannot try all patient numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def pseudonym_key(path: Path) -> bytes:
    """The key of a workspace (32 bytes, readable by its owner alone); made where there is none."""
    try:
        return bytes.fromhex(path.read_text())
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # the first one's key counts, whoever comes at the same moment
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return bytes.fromhex(path.read_text())


def pseudonym(patient_id: str | None, recording: str, key: bytes) -> str:
    """64 hexadecimal digits for a patient; a recording without one is a patient of its own."""
    told = f"patient {patient_id}" if patient_id else f"recording {recording}"
    return hmac.new(key, told.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
