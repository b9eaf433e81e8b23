"""A certificate of 127.0.0.1 and its key, as files. Who uses it skips where `cryptography` is not installed."""

import datetime as dt
from pathlib import Path


def certificate(folder: Path, *, keeps_key: bool = False, days: tuple[int, int] = (-1, 1)) -> tuple[Path, Path, bytes]:
    """Make a certificate of 127.0.0.1; return its file, its key's file, and its bytes.

    With `keeps_key` it is a renewal: another certificate with the key that lies in the folder. `days`: from when until
    when it holds, from now.
    """
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    if keeps_key:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file, made.public_bytes(serialization.Encoding.DER)
