# SPDX-License-Identifier: Apache-2.0
"""TOML documents as Python's tomllib reads them.

Every document here, and thousands made of them by changing, dropping and doubling a few
characters, must be accepted or refused as tomllib does, with the same values.

usage: check_toml.py TOML_TOOL
"""

import json
import random
import re
import subprocess
import sys

try:
    import tomllib
except ImportError as missing:  # before Python 3.11
    print(f"skipped: {missing}")
    sys.exit(77)

MUTANTS = 20000
VALID = [
    "",
    "# nothing\n",
    "a = 1\nb = -2\nc = +3\nd = 0\ne = 1_000_000\n",
    "a = 0xdead_BEEF\nb = 0o755\nc = 0b1101_0\nd = 9223372036854775807\n",
    "a = 1.5\nb = -0.01\nc = 5e+22\nd = 1e06\ne = -2E-2\nf = 6.626e-34\ng = 1_0.0_1\n",
    "a = inf\nb = +inf\nc = -inf\nd = nan\ne = +nan\nf = -nan\n",
    "a = true\nb = false # done\n",
    'a = "b\\t\\"q\\" \\\\ \\u00e9 \\U0001F600"\nb = \'C:\\raw\'\nc = ""\nd = \'\'\n',
    'a = """\nRoses\n  are"" red\\\n   \n  \n violets"""""\nb = \'\'\'\nno \\ escapes\n\'\' here\'\'\'\'\n',
    'a = 1979-05-27T07:32:00Z\nb = 1979-05-27 07:32:00.999-07:00\nc = 1979-05-27T00:32:00\n'
    'd = 1979-05-27\ne = 07:32:00\nf = 00:32:00.5\ng = 2000-02-29\n',
    "a = []\nb = [1, 2, 3,]\nc = [ [1, 2], ['x', \"y\"] ]\nd = [\n 1, # one\n 2\n\n]\n",
    "a = {}\nb = { x = 1, y = 'z' }\nc = {d.e = 1, d.f = 2}\ng = [{x=1}, {x=2}]\n",
    "a.b.c = 1\na.b.d = 2\n'x y'.\"z\" . w = 3\n3.14 = 'pi'\n",
    "[a]\nb = 1\n[a.c]\nd = 2\n[x.y.z]\nw = 1\n[x]\nv = 2\n[ 'q' . r ]\n",
    "[[p]]\nname = 'head'\nepochs = 1\n[[p]]\nname = 'tune'\n[p.sub]\nk = 1\n[[p.list]]\n[[p.list]]\nz = 1\n",
    "[fruit]\napple.color = 'red'\napple.taste.sweet = true\n[fruit.apple.texture]\nsmooth = true\n",
    "a = 1\r\nb = 2\r\n[c]\r\n",
    "k\u00e9y = 1\n".replace("k\u00e9y", "\"k\u00e9y\""),
    "[a.b.c]\nz = 9\n[a]\nb.x = 1\n",
    "1 = 1\n- = 2\n_ = 3\n1-2 = 4\n",
]
INVALID = [
    "a", "a =", "a = \n", "= 1", "a = 1 b = 2", "a b = 1", "a = 1\na = 2", ".a = 1", "a. = 1",
    "a..b = 1", "a = 01", "a = 1__0", "a = _1", "a = 1_", "a = 0x", "a = 0xg", "a = +0x1",
    "a = 0x_1", "a = 0b2", "a = 9223372036854775808x", "a = 1.", "a = .5", "a = 1.e5", "a = 1e",
    "a = 1._5", "a = 1e_5", "a = 03.14", "a = truer", "a = TRUE", "a = Inf", "a = yes",
    'a = "', 'a = "b\n"', 'a = "\\q"', 'a = "\\u12"', 'a = "\\ud800"', 'a = "\\U00110000"',
    "a = 'b\n'", 'a = """', "a = '''''", 'a = "\x01"', "a = '\x7f'", "# \x00",
    "a = 1979-13-01", "a = 1979-02-29", "a = 1979-05-27T", "a = 1979-05-27T25:00:00", "a = 7:32:00",
    "a = 1979-05-27T07:32", "a = 1979-05-27T07:32:00+7", "a = 07:32:00Z", "a = 1979-5-27",
    "a = [1 2]", "a = [1", "a = [,]", "a = [1,,2]", "a = {x = 1,}", "a = {\nx = 1}", "a = {x = 1",
    "a = {x = 1, x = 2}", "a = {x = 1}\na.y = 2", "a = {x.y = 1, x = 2}", "[a", "[a]]", "[[a]",
    "[]", "[a]\n[a]", "[a] b = 1", "[a.]", "a = 1\n[a]", "a.b = 1\n[a]", "[[a]]\n[a]", "[a]\n[[a]]",
    "a = []\n[[a]]", "a = [{}]\n[a.b]", "[a.b]\n[[a]]", "[ [a]]", "[[a] ]", "a = 1\r", "\r", "a = 1\rb = 2",
    "[a]\nb.c = 1\n[a.b]", "[a.b.c]\nz = 9\n[a]\nb.c.t = 1", "[a.b.c.d]\nz = 9\n[a]\nb.c.d.k.t = 1",
    "[[a.b]]\n[a]\nb.c = 1", "x = {}\n[x]", "x = {}\n[x.y]", '"""a""" = 1', "a = 1 # \x0b",
]


def plain(value):
    """A value of tomllib's in the form of the tool's JSON."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, bool):
        return {"boolean": str(value).lower()}
    if isinstance(value, int):
        return {"integer": str(value)}
    if isinstance(value, float):
        return {"float": "nan" if value != value else value.hex()}
    if isinstance(value, str):
        return {"string": value}
    return {"date": date(value)}


def date(value):
    return repr(value)


def read_date(text):
    """What tomllib makes of a date, from the text that the tool kept."""
    return repr(tomllib.loads(f"d = {text}")["d"])


def normal(value):
    """The tool's answer with numbers and dates in one form."""
    if isinstance(value, list):
        return [normal(v) for v in value]
    kind = next(iter(value), None)
    if len(value) != 1 or not isinstance(value[kind], str):
        return {k: normal(v) for k, v in value.items()}
    if kind == "float":
        number = float.fromhex(value[kind])
        return {kind: "nan" if number != number else number.hex()}
    return {kind: read_date(value[kind])} if kind == "date" else value


def mutants(rng, count):
    pool = [*VALID, *INVALID]
    letters = "\"'[]{}=.,#\n\r\t _-+:TZ019aexob\\\u00e9\x00"
    for _ in range(count):
        text = rng.choice(pool)
        for _ in range(rng.randint(1, 4)):
            i = rng.randint(0, len(text))
            j = min(len(text), i + rng.choice([0, 0, 1, 1, 5]))
            put = rng.choice(["", rng.choice(letters), text[i:j] * 2,
                              rng.choice(pool)[:rng.randint(0, 30)]])
            text = text[:i] + put + text[j:]
        yield text


def expected(text):
    """None: refused.  False: not compared, this is where the two differ on purpose."""
    if re.search(r":60", text):  # a leap second, which Python's times lack
        return False
    if re.search(r"\\u0000|\\U00000000", text):
        return False
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError, OverflowError):
        return None
    if any(not -2**63 <= n < 2**63 for n in integers(found)):
        return None
    return plain(found)


def integers(value):
    if isinstance(value, (dict, list)):
        for v in value.values() if isinstance(value, dict) else value:
            yield from integers(v)
    elif isinstance(value, int):
        yield value


def main():
    texts = [*VALID, *INVALID, *mutants(random.Random(1), MUTANTS)]
    data = b"".join(b"%d\n%s" % (len(t.encode()), t.encode()) for t in texts)
    done = subprocess.run([sys.argv[1]], input=data, capture_output=True)
    answers = done.stdout.decode().splitlines()
    if done.returncode or len(answers) != len(texts):
        sys.exit(f"{len(answers)} answers of {len(texts)}, exit code {done.returncode}")
    refused = wrong = 0
    for i, (text, answer) in enumerate(zip(texts, answers)):
        ours = json.loads(answer)
        want = expected(text)
        if i < len(VALID) + len(INVALID) and (want is None) == (i < len(VALID)):
            sys.exit(f"{text!r}: tomllib disagrees with this list: {want}")
        if want is False:
            continue
        error = ours.get("error") if isinstance(ours.get("error"), str) else None
        refused += error is not None
        if (want is None) != (error is not None) or (want is not None and normal(ours) != want):
            print(f"{text!r}\n  afina   {answer}\n  tomllib {want}")
            wrong += 1
        if error and not re.match(r"doc:\d+:\d+: .", error):
            print(f"{text!r}: {error}")
            wrong += 1
    print(f"{len(texts)} documents, {refused} refused, {wrong} unlike tomllib")
    sys.exit(bool(wrong))


main()
