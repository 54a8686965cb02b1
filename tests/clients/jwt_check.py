"""Checks a token on stdin against the published keys of an issuer (first argument) with `cryptography` alone."""

import base64
import json
import sys
import urllib.request

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(decoded(text), "big")


def fetched(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


signed, signature = sys.stdin.read().rsplit(".", 1)
header, claims = (json.loads(decoded(part)) for part in signed.split("."))
keys = fetched(fetched(sys.argv[1] + "/.well-known/openid-configuration")["jwks_uri"])["keys"]
key = next(key for key in keys if key["kid"] == header["kid"] and key["alg"] == header["alg"])
signature = decoded(signature)
if header["alg"] == "RS256":
    public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    public.verify(signature, signed.encode(), padding.PKCS1v15(), SHA256())
else:
    public = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1()).public_key()
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public.verify(utils.encode_dss_signature(r, s), signed.encode(), ec.ECDSA(SHA256()))
print(header["alg"], claims["sub"])
