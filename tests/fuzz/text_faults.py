"""Faults of text files: endings, encodings, lines, columns, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .fault import DROPPED, ERROR, HARMLESS, NOTHING_LEFT, ROW_FAULT, SAME, SAME_OR_REFUSED, Fault

NUMBER = re.compile(r"(?<![\w.+-])[-+]?\d+(\.\d*)?([eE][-+]?\d+)?(?![\w.])")
YEAR = re.compile(r"(?<![\d.])(19|20)\d\d(?![\d.]|$)|(?<![\d.])(19|20)\d\d(?=\d{4}\b)")
BAD_NUMBERS = ("NaN", "inf", "-999.99", "1e36", "********", "abc", "3,14", "-", "1.2.3", "0x10", "1_000")
"""What can stand where a number should."""

LINES_LOST = NOTHING_LEFT | {SAME}


def text_faults(text: str) -> Iterator[Fault]:
    """Faults for a file of this content."""
    lines = text.splitlines()
    data = _data_lines(lines)
    separator = "," if lines and lines[data[-1]].count(",") > 2 else " "
    yield from _encoding_faults(lines, data, separator)
    yield from _line_faults(lines, data)
    yield from _cuts(text)
    middle = data[len(data) // 2]
    yield from _column_faults(lines, data, middle, separator)
    tokens = list(NUMBER.finditer(lines[middle]))
    for number, token in enumerate(tokens[:30]):
        for bad in BAD_NUMBERS:
            damaged = lines[middle][: token.start()] + bad.rjust(len(token.group())) + lines[middle][token.end() :]
            yield Fault("a number that is none", f"number {number + 1} of a line: {bad}", ROW_FAULT, _line(middle, damaged), 1)


def _data_lines(lines: list[str]) -> list[int]:
    """Lines of data: those with as many numbers as most lines, without a comment sign."""
    counts = [0 if line.startswith(("#", "!", "%")) else len(NUMBER.findall(line)) for line in lines]
    usual = int(np.median([c for c in counts if c > 1])) if any(c > 1 for c in counts) else 1
    return [i for i, c in enumerate(counts) if c > 0 and c >= usual // 2] or list(range(len(lines)))


def _encoding_faults(lines: list[str], data: list[int], separator: str) -> Iterator[Fault]:
    plain = "\n".join(lines) + "\n"
    yield Fault("line endings", "CR LF", HARMLESS, _bytes(plain.replace("\n", "\r\n").encode()))
    yield Fault("line endings", "CR", SAME_OR_REFUSED, _bytes(plain.replace("\n", "\r").encode()))
    yield Fault("no newline at the end", "", HARMLESS, _bytes(plain.rstrip("\n").encode()))
    yield Fault("blank lines at the end", "", HARMLESS, _bytes((plain + "\n\n").encode()))
    yield Fault("blanks at the ends of lines", "", SAME_OR_REFUSED, _bytes(plain.replace("\n", "   \n").encode()))
    yield Fault("byte order mark", "UTF-8", SAME_OR_REFUSED, _bytes(b"\xef\xbb\xbf" + plain.encode()))
    yield Fault("byte order mark", "UTF-16", SAME_OR_REFUSED, _bytes(plain.encode("utf-16")))
    header = [i for i in range(len(lines)) if i not in set(data) and lines[i].startswith("#")]
    if header:
        named = list(lines)
        named[header[-1] // 2] = named[header[-1] // 2] + " Universit\xe9 de Li\xe8ge"
        yield Fault("bytes of Latin-1", "in the header", SAME_OR_REFUSED, _bytes(("\n".join(named) + "\n").encode("latin-1")))
    if separator == " ":
        tabs = [re.sub(r" +", "\t", line) if i in set(data) else line for i, line in enumerate(lines)]
        yield Fault("tabs for blanks", "", SAME_OR_REFUSED, _bytes(("\n".join(tabs) + "\n").encode()))
    else:
        semicolons = [line.replace(",", ";") if i in set(data) else line for i, line in enumerate(lines)]
        yield Fault("semicolons for commas", "in the data alone", NOTHING_LEFT, _bytes(("\n".join(semicolons) + "\n").encode()))
    middle = data[len(data) // 2]
    nul = [line[: len(line) // 2] + "\0\0\0\0" + line[len(line) // 2 + 4 :] if i == middle else line for i, line in enumerate(lines)]
    yield Fault("zero bytes in a line", "", ROW_FAULT, _bytes(("\n".join(nul) + "\n").encode()), 1)


def _line_faults(lines: list[str], data: list[int]) -> Iterator[Fault]:
    first, last = data[0], data[-1]
    body = [lines[i] for i in data]
    order = np.random.default_rng(2).permutation(len(body))
    yield Fault("lines in another order", "", HARMLESS | {ERROR}, _lines(lines[:first] + [body[i] for i in order] + lines[last + 1 :]))
    yield Fault("lines given twice", "one", ROW_FAULT, _lines(lines[: first + 1] + lines[first:]))
    yield Fault("lines given twice", "all", ROW_FAULT, _lines(lines[: last + 1] + body + lines[last + 1 :]))
    yield Fault("no data", "header alone", NOTHING_LEFT, _lines(lines[:first]))
    middle = data[len(data) // 2]
    yield Fault("words instead of a line", "", ROW_FAULT, _line(middle, "this line was damaged"), 1)
    yield Fault("a comment between", "", ROW_FAULT, _lines([*lines[:middle], "# a comment", *lines[middle:]]))
    yield Fault("a blank line between", "", SAME_OR_REFUSED, _lines([*lines[:middle], "", *lines[middle:]]))
    yield Fault("two lines joined", "", ROW_FAULT, _lines([*lines[:middle], lines[middle] + lines[(middle + 1) % len(lines)],
                                                           *lines[middle + 2 :]]), 2)
    yield Fault("a line in two", "", ROW_FAULT, _lines([*lines[:middle], lines[middle][: len(lines[middle]) // 2],
                                                        lines[middle][len(lines[middle]) // 2 :], *lines[middle + 1 :]]), 1)
    if first:
        yield Fault("no header", "", NOTHING_LEFT | {SAME}, _lines(lines[first:]))
        yield Fault("header without its first line", "", SAME_OR_REFUSED, _lines(lines[1:]))
        yield Fault("header without its last line", "", SAME_OR_REFUSED, _lines(lines[: first - 1] + lines[first:]))
        for name, change in (("more", 2), ("less", -2), ("many", 500)):
            counted = [re.sub(r"(header[_ ]lines\s*:\s*)(\d+)", lambda m, c=change: f"{m[1]}{max(0, int(m[2]) + c)}", line)
                       for line in lines]
            if counted != lines:
                yield Fault("header counts wrong", name, NOTHING_LEFT | {SAME}, _lines(counted))


def _cuts(text: str) -> Iterator[Fault]:
    for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9):
        place = text.find("\n", int(share * len(text))) + 1
        yield Fault("truncated", f"after a line, at {share:.0%}", LINES_LOST, _bytes(text[:place].encode()))
        line = text[place : text.find("\n", place)]
        for part in (0.2, 0.5, 0.8):
            yield Fault("truncated", f"within a line, at {share:.0%} + {part:.0%}", LINES_LOST,
                        _bytes(text[: place + int(part * len(line))].encode()))


def _column_faults(lines: list[str], data: list[int], middle: int, separator: str) -> Iterator[Fault]:
    parts = lines[middle].split(separator) if separator == "," else lines[middle].split()
    for number in range(len(parts)):
        less = separator.join(parts[:number] + parts[number + 1 :])
        yield Fault("a column less in a line", f"without number {number + 1}", NOTHING_LEFT, _line(middle, less), 1)
    yield Fault("a column more in a line", "", ROW_FAULT, _line(middle, lines[middle] + separator + "7"), 1)
    for number in range(len(parts) - 1):
        glued = separator.join([*parts[:number], parts[number] + parts[number + 1], *parts[number + 2 :]])
        yield Fault("columns glued in a line", f"{number + 1} and {number + 2}", NOTHING_LEFT, _line(middle, glued), 1)
    everywhere = set(data)

    def all_lines(change: Callable[[str], str]) -> Callable[[Path], Path]:
        return _lines([change(line) if i in everywhere else line for i, line in enumerate(lines)])

    yield Fault("a column less in all lines", "the last", NOTHING_LEFT | {SAME},
                all_lines(lambda line: line.rstrip().rsplit(separator, 1)[0]))
    yield Fault("a column less in all lines", "the first", NOTHING_LEFT, all_lines(lambda line: line.strip().split(separator, 1)[-1]))
    yield Fault("a column more in all lines", "", SAME_OR_REFUSED | {DROPPED}, all_lines(lambda line: line + separator + "7"))
    yield Fault("decimal commas", "", NOTHING_LEFT, all_lines(lambda line: re.sub(r"(\d)\.(\d)", r"\1,\2", line)))
    for name, year in (("2050", 2050), ("1850", 1850)):
        yield Fault("another year", name, NOTHING_LEFT | {SAME}, all_lines(lambda line, y=year: YEAR.sub(str(y), line)))


def _bytes(content: bytes) -> Callable[[Path], Path]:
    def damage(path: Path) -> Path:
        path.write_bytes(content)
        return path
    return damage


def _lines(lines: list[str]) -> Callable[[Path], Path]:
    return _bytes(("\n".join(lines) + "\n" if lines else "").encode())


def _line(index: int, line: str) -> Callable[[Path], Path]:
    def damage(path: Path) -> Path:
        lines = path.read_text().splitlines()
        lines[index] = line
        return _lines(lines)(path)
    return damage
