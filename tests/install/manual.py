#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""manual.py INCLUDE PAGES [INSTALLED]: the manual's third section says what the headers say.

Every function is in one page, with the header's prototype; every structure and enumeration is in one page, with all
members and constants in their order; nothing is documented that does not exist; and every page that is referred to
exists.  In the installed manual every function has a page of its name.
"""
import pathlib
import re
import shlex
import sys

from public_face import Face, report


class Page:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        self.lines = path.read_text().splitlines()
        self.text = "\n".join(self.lines) + "\n"
        self.names = re.findall(r"^\.Nm (\w+)(?: ,)?$", self.section("NAME"), flags=re.M)
        self.references = re.findall(r"^\.(?:Pq )?Xr (\w[\w-]*) 3\b", self.text, flags=re.M)

    def section(self, title):
        found = re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", self.text, flags=re.M | re.S)
        return found[1] if found else ""

    def prototypes(self):
        """(name, result, parameters) of .Ft with .Fn, or with .Fo, .Fa and .Fc."""
        result, name, parameters = None, None, []
        for line in self.section("SYNOPSIS").splitlines():
            macro, _, rest = line.partition(" ")
            if macro == ".Ft":
                result = rest
            elif macro == ".Fn":
                function, *given = shlex.split(rest)
                yield function, result, given
            elif macro == ".Fo":
                name, parameters = rest, []
            elif macro == ".Fa":
                parameters += shlex.split(rest)
            elif macro == ".Fc":
                yield name, result, parameters

    def lists(self):
        """("struct x" or "enum x", its items in their order) of every subsection of that name."""
        for title, body in re.findall(r"^\.Ss ((?:struct|enum) \w+)\n(.*?)(?=^\.S[sh] |\Z)", self.text,
                                      flags=re.M | re.S):
            yield title, [item.strip('"') for item in re.findall(r"^\.It (?:Va|Dv) (.*)$", body, flags=re.M)]


def wanted_lists(face):
    lists = {f"struct {name}": [declaration for _, declaration in members] for name, members in face.structs.items()}
    lists.update({f"enum {name}": constants for name, constants in face.enums.items()})
    return lists


def wanted_prototypes(face):
    prototypes = dict(face.functions)
    for name, declaration in face.callbacks.items():
        result, parameters = re.fullmatch(r"(.*) \(\*\w+\)\((.*)\)", declaration).groups()
        prototypes[f"(*{name})"] = (f"typedef {result}", parameters.split(", "))
    return prototypes


def once(kind, wanted, documented, faults):
    """documented: (page, name, what it says)"""
    seen = {}
    for page, name, says in documented:
        if name not in wanted:
            faults.append(f"{page.path.name}: no header has {kind} {name}")
        elif name in seen:
            faults.append(f"{page.path.name}: {name} is in {seen[name]}, too")
        elif says != wanted[name]:
            faults.append(f"{page.path.name}: {name}\n  header: {wanted[name]}\n  page:   {says}")
        seen[name] = page.path.name
    faults += [f"no page has {kind} {name}" for name in wanted if name not in seen]


def check_installed(face, pages, folder, faults):
    for name in [*face.functions, *(page.name for page in pages)]:
        path = folder / f"{name}.3"
        if not path.exists():
            faults.append(f"{name}.3 is not installed")
            continue
        link = re.fullmatch(r"\.so (man3/\S+)\n", path.read_text())
        page = folder.parent / link[1] if link else path
        if not page.exists() or not re.search(rf"^\.Nm {name}\b", page.read_text(), flags=re.M):
            faults.append(f"{name}.3 leads to no page about it")
    installed = {path.stem for path in folder.glob("*.3")}
    faults += [f"{name}.3 is installed and is about nothing"
               for name in installed - set(face.functions) - {page.name for page in pages}]


def main():
    face = Face(sys.argv[1])
    pages = [Page(path) for path in sorted(pathlib.Path(sys.argv[2]).glob("*.3"))]
    names = {page.name for page in pages}
    faults = []
    once("function", {name: name for name in face.functions},
         [(page, name, name) for page in pages for name in page.names if name != "pvf"], faults)
    once("prototype", {name: (result, list(parameters) if parameters != [""] else ["void"])
                       for name, (result, parameters) in wanted_prototypes(face).items()},
         [(page, name, (result, parameters)) for page in pages for name, result, parameters in page.prototypes()],
         faults)
    once("list", wanted_lists(face), [(page, *listed) for page in pages for listed in page.lists()], faults)
    # The last is of the CMake package.
    known = set(re.findall(r"\bpvf_\w+|\bPVF_\w+", "".join(path.read_text() for path in face.headers))) | {
        "pvf_WORKERS_DIR"}
    for page in pages:
        faults += [f"{page.path.name}: is not about itself"] if page.name not in page.names else []
        faults += [f"{page.path.name}: refers to {name}(3), which does not exist" for name in page.references
                   if name not in names | set(face.functions) | {"free"}]
        faults += [f"{page.path.name}: what is {word}?"
                   for word in sorted(set(re.findall(r"\bpvf_\w+|\bPVF_\w+", page.text)) - known)
                   if word != page.name.upper()]
    if len(sys.argv) > 3:
        check_installed(face, pages, pathlib.Path(sys.argv[3]), faults)
    report(faults, f"{len(pages)} pages: {len(face.functions)} functions, {len(face.structs)} structures, "
                   f"{len(face.enums)} enumerations")


main()
