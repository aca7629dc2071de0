"""Multipart forms that are broken, endless or lie about their parts; files of products that are none."""

import json
from collections.abc import Sequence
from random import Random
from typing import Final

from schemas.http.account import Role
from tests.hostile.payloads import SCRIPTS, text
from tests.hostile.request import Kind, Request, Site, ask

_UPLOAD: Final = "/api/v1/predictions/upload"
_BULK: Final = "/api/v1/predictions/bulk"
_EDGE: Final = b"edge"
Part = tuple[bytes, bytes]


def form(parts: Sequence[Part], edge: bytes = _EDGE) -> bytes:
    """A form of these parts: heads and contents."""
    return b"".join(b"--%b\r\n%b\r\n\r\n%b\r\n" % (edge, head, body) for head, body in parts) + b"--%b--\r\n" % edge


def field(name: bytes, content: bytes, more: bytes = b"") -> Part:
    """A part with a name."""
    return b'Content-Disposition: form-data; name="%b"%b' % (name, more), content


def posted(
    dice: Random,
    site: Site,
    body: bytes,
    path: str = _UPLOAD,
    edge: bytes = _EDGE,
    allowed: Sequence[int] | None = None,
) -> Request:
    """A form, sent."""
    kind = b"multipart/form-data; boundary=" + edge
    return ask(site, dice, Role.CUSTOMER, "POST", path, body, headers=[(b"Content-Type", kind)], allowed=allowed)


def broken(dice: Random, site: Site) -> Request:
    """Edges that are missing, wrong, endless or within."""
    good = form([field(b"title", b"Lampe")])
    body, edge = dice.choice(
        (
            (good[:-6], _EDGE),
            (good, b"other"),
            (good, b""),
            (good, b"e" * 5_000),
            (good, b'"edge'),
            (good, b"edge; boundary=other"),
            (b"", _EDGE),
            (b"\r\n" * 20_000, _EDGE),
            (b"--edge" * 5_000, _EDGE),
            (b"--edge--" + good, _EDGE),
            (b"x" * 100_000 + good, _EDGE),
            (good.replace(b"\r\n", b"\n"), _EDGE),
            (good.replace(b"\r\n\r\n", b"\r\n"), _EDGE),
            (form([field(b"title", good)]), _EDGE),
            (good * 2, _EDGE),
            (good[: dice.randrange(len(good))], _EDGE),
            (dice.randbytes(5_000), _EDGE),
        )
    )
    return posted(dice, site, body, dice.choice((_UPLOAD, _BULK)), edge)


def odd_heads(dice: Random, site: Site) -> Request:
    """Parts without a name, with two, with folded, endless and foreign heads."""
    head = dice.choice(
        (
            b"Content-Disposition: form-data",
            b"Content-Disposition: form-data; name",
            b'Content-Disposition: form-data; name="title"; name="image"',
            b"Content-Disposition: form-data; name*=utf-8''%74itle",
            b'Content-Disposition: attachment; name="title"',
            b"X: y\r\n" * 2_000 + b'Content-Disposition: form-data; name="title"',
            b'Content-Disposition: form-data; name="' + b"t" * 100_000 + b'"',
            b'Content-Disposition: form-data; name="title"\r\nContent-Transfer-Encoding: base64',
            b'Content-Disposition: form-data; name="title"\r\nContent-Type: text/plain; charset=utf-16',
            b'Content-Disposition: form-data; name="title"\r\nContent-Type: text/plain; charset=nowhere',
            b'Content-Disposition: form-data;\r\n name="title"',
            b"no colon",
            b": empty",
            b"\x00\xff: \xfe",
            b'Content-Disposition: form-data; name="_charset_"',
            b'Content-Disposition: form-data; name="title[$ne]"',
            b'Content-Type: multipart/mixed; boundary=in\r\nContent-Disposition: form-data; name="title"',
        )
    )
    return posted(dice, site, form([(head, text(dice).encode("utf-8", "surrogatepass")[:10_000])]))


def many(dice: Random, site: Site) -> Request:
    """Ten thousand fields, or files."""
    more = dice.choice((b"", b'; filename="a.png"'))
    count = dice.choice((1_001, 3_000, 10_000))
    same = dice.random() < 0.5
    parts = [field(b"title" if same else b"f%d" % number, b"x", more) for number in range(count)]
    return posted(dice, site, form(parts), allowed=(400, 413, 422))


def file_names(dice: Random, site: Site) -> Request:
    """Files that are to be kept elsewhere than where they belong."""
    name = dice.choice(
        (
            b"../../../../tmp/owned.csv",
            b"/etc/cron.d/owned.csv",
            b"..\\..\\owned.csv",
            b"C:\\owned.csv",
            b"\x00.csv",
            b".csv",
            b"a.csv\x00.exe",
            b"\xe2\x80\xaevsc.exe.csv",
            b"a" * 5000 + b".csv",
            b"con.csv",
            b"%2e%2e%2fowned.csv",
            b"~/.ssh/a.csv",
            b"a.csv/../../b.jsonl",
            b"<img src=x onerror=window.canaried=1>.csv",
            b"$(id).csv",
            b"\r\nX-Injected: y.csv",
            b"\xff.tsv",
        )
    )
    part = field(b"file", b"title\nLampe\n", b'; filename="%b"' % name)
    return posted(dice, site, form([part]), _BULK)


def bulk_files(dice: Random, site: Site) -> Request:
    """Tables that are none: quotes that never end, cells of a megabyte, scripts for a name, archives."""
    ending, content = dice.choice(
        (
            (b"csv", b'title\n"' + b"a" * 100_000),
            (b"csv", b"title\n" + b"a" * 2_000_000),
            (b"csv", b"title" + b",a" * 20_000 + b"\n1\n"),
            (b"csv", b"title,title,title\n1,2,3\n"),
            (b"csv", b"\x00" * 10_000),
            (b"csv", "title\nLampe\n".encode("utf-16")),
            (b"csv", b"\xef\xbb\xbf" * 3 + b"title\na\n"),
            (b"csv", b"title,description\n" + "\n".join(f'"{one}","{one}"' for one in SCRIPTS[:4]).encode()),
            (b"csv", b"title\n" + b"\n" * 100_001),
            (b"csv", b"title\n" + b"a\n" * 100_001),
            (b"csv", b"PK\x03\x04" + bytes(1_000)),
            (b"csv", b"id,image\n1,file:///etc/passwd\n2,../../secrets/gateway.key\n3,http://169.254.169.254/\n"),
            (b"tsv", b"title\t\x0b\x1c\na\n"),
            (b"jsonl", b"[" * 50_000),
            (b"jsonl", b'{"title":"a","title":{"$ne":1}}\n'),
            (b"jsonl", b'{"title":1e999}\nnull\n[]\n"a"\n{}\n'),
            (b"jsonl", b'{"title":"\\ud800"}\n{"$where":1,"title":"a"}\n'),
            (b"jsonl", json.dumps({f"c{number}": 1 for number in range(20_000)}).encode()),
            (b"ndjson", b"\n" * 50_000),
            (b"xlsx", b"PK\x03\x04"),
            (b"csv.gz", b"\x1f\x8b"),
        )
    )
    return posted(dice, site, form([field(b"file", content, b'; filename="a.%b"' % ending)]), _BULK)


def fields_for_files(dice: Random, site: Site) -> Request:
    """A text where a file belongs, a file where a text does."""
    odd = text(dice).encode("utf-8", "surrogatepass")
    parts = dice.choice(
        (
            [field(b"image", odd)],
            [field(b"title", odd, b'; filename="title.txt"')],
            [field(b"file", odd)],
            [
                field(b"title", odd),
                field(b"title", b'{"$ne":1}'),
                field(b"product_id", odd),
                field(b"submitted_by", b"admin"),
            ],
            [field(b"image", odd, b'; filename="a.png"'), field(b"image", odd, b'; filename="b.png"')],
        )
    )
    return posted(dice, site, form(parts), dice.choice((_UPLOAD, _BULK)))


KINDS: Final[dict[str, Kind]] = {
    "broken form": broken,
    "odd heads in a form": odd_heads,
    "file names": file_names,
    "files of products": bulk_files,
    "fields for files": fields_for_files,
}
HEAVY: Final[dict[str, Kind]] = {"endless form": many}
