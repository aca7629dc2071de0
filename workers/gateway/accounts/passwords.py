"""Passwords: what they have to be (NIST SP 800-63B, 3.1.1), and their hashes (argon2id, RFC 9106)."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.http.account import LONGEST_PASSWORD, SHORTEST_PASSWORD
from workers.gateway.accounts.secrets import new_secret
from workers.gateway.errors import PasswordRefused

T = TypeVar("T")

_AT_A_TIME: Final = 4  # each takes 64 MiB while it lasts

# Of those that leak most often, the ones that are long enough; in small letters.
_COMMONEST: Final = """
password1234 password12345 password123456 passwordpassword mypassword123 123456789012 1234567890123 12345678901234
123456789123 123456123456 123123123123 1234567891234 987654321987 0123456789012 1q2w3e4r5t6y 1qaz2wsx3edc
1q2w3e4r5t6y7u qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyuiopasdf qwertyuiop[] qwerty123456 qwerty1234567
qwertyqwerty azertyuiop12 azertyuiop123 azerty123456 azertyazerty asdfghjkl123 asdfghjklqwerty zxcvbnmasdfghjkl
abcdefghijkl abcdefghijklm abcd12345678 abc123abc123 abc123456789 a1b2c3d4e5f6 iloveyou1234 iloveyouiloveyou
ilovemyfamily welcome12345 welcome123456 welcomewelcome letmein12345 letmeinletmein letmeinplease admin1234567
admin12345678 adminadmin12 adminadminadmin administrator administrator1 administrateur changeme1234 changemechangeme
changemeplease motdepasse12 motdepasse123 motdepasse1234 motdepassemotdepasse lovelovelove princess1234 sunshine1234
football1234 baseball1234 superman1234 trustno1trustno1 correcthorsebatterystaple
"""
_COMMON: Final = frozenset(_COMMONEST.split())


def checked(password: str, name: str) -> str:
    """A new password in its normal form.

    Raises:
        PasswordRefused: It is too short or long, or easily guessed.
    """
    chosen = normal(password)
    if not SHORTEST_PASSWORD <= len(chosen) <= LONGEST_PASSWORD:
        raise PasswordRefused(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    plain = chosen.casefold()
    if plain in _COMMON or len(set(plain)) < 3:
        raise PasswordRefused("This password is one of the first that others would try.", hint="Choose another one.")
    if plain == name or plain in (name * 2, name[::-1], f"aisle{name}", f"{name}aisle"):
        raise PasswordRefused("A password is not the account's name.", hint="Choose another one.")
    return chosen


def normal(password: str) -> str:
    """The same characters however they were typed: keyboards differ in how they make an é."""
    return normalize("NFKC", password)


class Hasher:
    """Makes and checks hashes, in threads, four at a time.

    Args:
        hasher: Of the library, with its parameters; by default the second choice of RFC 9106, which is the library's.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._free = asyncio.Semaphore(_AT_A_TIME)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The hash of a password in its normal form, with a salt of its own."""
        return await self._run(lambda: self._hasher.hash(password))

    async def is_right(self, password: str, hashed: str | None) -> bool:
        """Whether a hash is this password's; False, after the same time, where there is no hash."""
        if self._nobody is None:
            self._nobody = await self.hash(new_secret())
        against = hashed or self._nobody
        return await self._run(lambda: self._verify(against, normal(password))) and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether hashes are made with other parameters by now."""
        return self._hasher.check_needs_rehash(hashed)

    async def _run(self, work: Callable[[], T]) -> T:
        async with self._free:
            return await asyncio.to_thread(work)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
