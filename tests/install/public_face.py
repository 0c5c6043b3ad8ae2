# SPDX-License-Identifier: Apache-2.0
"""Owns: what the public headers declare, as the other tests of this folder compare it.

Trusts the headers' layout, which clang-format decides; what it does not understand is a failure, so that
nothing is left out silently.
"""
import pathlib
import re
import sys


def one_line(text):
    """C text with single blanks, and none inside brackets or after a star."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\* ", "*", re.sub(r"\( ", "(", re.sub(r" \)", ")", text)))


def split_parameters(text):
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text + ","):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(one_line(text[start:at]))
            start = at + 1
    return parts


class Face:
    """functions: name -> (result, parameters); structs: name -> [(member, declaration)];
    enums: name -> [constant]; callbacks: name -> declaration; opaque, numbers, scalars: sets of names."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.headers = sorted(self.folder.glob("pvf/*.h"))
        self.functions, self.structs, self.enums, self.callbacks = {}, {}, {}, {}
        self.opaque, self.numbers, self.scalars = set(), set(), set()
        for header in self.headers:
            self._read(header)
        if len(self.headers) < 10 or len(self.functions) < 30 or len(self.structs) < 10:
            sys.exit(f"{folder}: these are not all headers")

    def _read(self, header):
        text = re.sub(r"/\*.*?\*/", " ", header.read_text(), flags=re.S)
        joined = re.sub(r"\\\n", " ", text)
        if "PVF_STATUS_LIST(X)" in joined:
            self.enums["pvf_status"] = re.findall(r"X\((PVF_\w+), -?\d+,", joined)
        for name, value in re.findall(r"^#define (PVF_\w+) (.+)$", joined, flags=re.M):
            if re.fullmatch(r"\d+", value.strip()):
                self.numbers.add(name)
        code = re.sub(r'extern "C" \{', "", re.sub(r"^#.*$", "", joined, flags=re.M))
        code = re.sub(r"\bPVF_STATUS_LIST\(PVF_STATUS_ENUM\)", "", code)
        for statement in self._statements(code):
            self._take(header.name, statement)

    @staticmethod
    def _statements(code):
        depth, start = 0, 0
        for at, char in enumerate(code):
            depth += (char == "{") - (char == "}")
            if char == "}" and depth < 0:  # the end of extern "C"
                depth, start = 0, at + 1
            if char == ";" and depth == 0:
                yield one_line(code[start:at])
                start = at + 1

    def _take(self, where, text):
        if found := re.fullmatch(r"PVF_API (PVF_NODISCARD )?(.+?)(pvf_\w+)\((.*)\)", text):
            self.functions[found[3]] = (found[2].strip(), split_parameters(found[4]))
        elif found := re.fullmatch(r"typedef struct (pvf_\w+) \{(.*)\} \1", text):
            self.structs[found[1]] = [self._member(where, member)
                                      for member in found[2].split(";") if member.strip()]
        elif found := re.fullmatch(r"enum (pvf_\w+) \{(.*)\}", text):
            if found[1] != "pvf_status":
                self.enums[found[1]] = re.findall(r"(PVF_\w+) = ", found[2])
        elif found := re.fullmatch(r"typedef struct (pvf_\w+) \1", text):
            self.opaque.add(found[1])
        elif found := re.fullmatch(r"typedef (\S+ \(\*(pvf_\w+)\)\(.*\))", text):
            self.callbacks[found[2]] = found[1]
        elif found := re.fullmatch(r"typedef \w+ (pvf_\w+)", text):
            self.scalars.add(found[1])
        else:
            sys.exit(f"{where}: not understood: {text}")

    @staticmethod
    def _member(where, text):
        text = one_line(text)
        found = re.fullmatch(r"[\w ]+?[ *]+(\w+)(\[\w+\])?", text)
        if not found:
            sys.exit(f"{where}: not understood: {text}")
        return found[1], text

    def prototype(self, name):
        result, parameters = self.functions[name]
        return f"{result} {name}({', '.join(parameters)})".replace("* ", "*")


def report(faults, fine):
    """The end of a test."""
    for fault in faults:
        print("FAIL:", fault)
    if faults:
        sys.exit(1)
    print(fine)
