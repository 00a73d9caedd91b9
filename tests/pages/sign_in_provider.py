"""A small OpenID Connect provider on this computer: discovery, authorization code with PKCE, token
signed with RS256, keys, and sign-out. Whoever is clicked is signed in."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "lightbox", "a-secret-between-the-two"
PEOPLE: dict[str, dict[str, object]] = {
    "ann": {"sub": "1", "email": "ann@example.org", "email_verified": True, "name": "Ann"},
    "bob": {"sub": "2", "email": "bob@example.org", "email_verified": True, "name": "Bob"},
    "eve": {"sub": "3", "email": "ann@example.org", "email_verified": False, "name": "Eve"},
}
"""Eve claims Ann's address, which nobody has checked."""


@dataclass
class Provider:
    """One provider: its address, its key, and what was given out and not yet redeemed."""

    address: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    waiting: dict[str, dict[str, str]] = field(default_factory=dict)
    redeemed: list[str] = field(default_factory=list)

    def discovery(self) -> dict[str, object]:
        """What ``/.well-known/openid-configuration`` says."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "end_session_endpoint": f"{self.address}/sign-out",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def grant(self, asked: dict[str, str]) -> str:
        """Where the browser goes after a click on a person."""
        code = secrets.token_urlsafe(16)
        self.waiting[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str]) -> dict[str, object] | None:
        """What a code is worth; None for one that is not known or not the asker's."""
        told = self.waiting.pop(asked.get("code", ""), None)
        if told is None or told["redirect_uri"] != asked.get("redirect_uri"):
            return None
        proof = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(proof).decode().rstrip("=") != told["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 600,
                  "nonce": told["nonce"], **PEOPLE[told["person"]]}  # fmt: skip
        self.redeemed.append(told["person"])
        signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)
        return {"access_token": secrets.token_urlsafe(8), "token_type": "Bearer",
                "expires_in": 600, "id_token": signed}  # fmt: skip


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that answers until the end of the block."""
    here = Provider()

    class Answering(_Answering):
        of = here

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    here.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Answering(BaseHTTPRequestHandler):
    of: Provider

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(place.query).items()}
        if place.path == "/.well-known/openid-configuration":
            self._send_json(self.of.discovery())
        elif place.path == "/keys":
            self._send_json({"keys": [self.of.key.as_dict(private=False)]})
        elif place.path == "/authorize" and asked.get("client_id") == CLIENT:
            if "person" in asked:
                self._redirect(self.of.grant(asked))
                return
            links = (
                f'<p><a href="/authorize?{urlencode(asked | {"person": one})}">{one}</a></p>'
                for one in PEOPLE
            )
            page = '<title>Who</title><link rel="icon" href="data:,">' + "".join(links)
            self._send(200, "text/html", page)
        elif place.path == "/sign-out":
            self._redirect(asked["post_logout_redirect_uri"])
        else:
            self._send(404, "text/plain", "nothing here")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {key: values[0] for key, values in parse_qs(body).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        known = self.headers.get("Authorization") == f"Basic {basic}"
        token = self.of.token(asked) if self.path == "/token" and known else None
        if token is None:
            self._send(400, "application/json", json.dumps({"error": "invalid_grant"}))
        else:
            self._send_json(token)

    def _send_json(self, value: object) -> None:
        self._send(200, "application/json", json.dumps(value))

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests' output is theirs."""
