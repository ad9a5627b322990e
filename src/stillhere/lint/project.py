"""The modules of a project, and what a name in one of them means, through assignments, imports and re-exports.

Other modules are found as an import would find them, on disk, and parsed when they are first asked for.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import itertools
import os
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stillhere.lint.hints import Hints, gather
from stillhere.lint.names import canonical, is_foreign
from stillhere.lint.source import MAX_BYTES, Source, Unreadable, decode, parse
from stillhere.lint.tree import Binding, Bound, Tree

__all__ = ["DEPTH", "SKIPPED", "External", "Local", "Module", "Project", "Ref"]

DEPTH = 20
"""How many steps a name is followed: a cycle of re-exports ends here."""


SKIPPED = frozenset(
    {".venv", "venv", ".git", ".hg", "node_modules", "build", "dist", "__pycache__", ".tox", ".nox", ".eggs"}
    | {".mypy_cache", ".ruff_cache", ".pytest_cache", "site-packages"}
)
"""Folders of other people's code, and of what tools write."""

_MOST_FILES = 5000
_IMPORT = re.compile(rb"(?m)^[ \t]*(?:from|import)[ \t]+([\w., \t]+)")
_MOST_MODULES = 100


@dataclass(frozen=True, slots=True)
class External:
    """Something of another package, by its canonical name."""

    name: str


@dataclass(frozen=True, slots=True)
class Local:
    """Something that a module of the project binds."""

    module: Module
    binding: Binding


@dataclass(frozen=True, slots=True)
class Whole:
    """A module of the project itself."""

    module: Module


Ref = External | Local | Whole | None


class Module:
    """One file of the project."""

    def __init__(self, project: Project, source: Source, file: Path | None, root: ast.Module | None = None) -> None:
        self.project = project
        self.source = source
        self.file = file
        self._root = root
        self._refs: dict[ast.expr, Ref] = {}
        self.memory: dict[object, object] = {}
        """What analyses remember about this module."""

    @cached_property
    def tree(self) -> Tree:
        """Scopes, parents and calls; made when first needed."""
        return Tree(self._root if self._root is not None else parse(self.source))

    @property
    def path(self) -> str:
        """As it is shown."""
        return self.source.path

    @cached_property
    def in_tests(self) -> bool:
        """Whether it belongs to the project's tests, by its name or its folder's."""
        if self.file is None:
            return False
        inside = [self.file.relative_to(root) for root in self.project.roots if self.file.is_relative_to(root)]
        parts = min((one.parts for one in inside), key=len, default=self.file.parts[-1:])
        name = parts[-1]
        return (
            name.startswith("test_")
            or name.endswith("_test.py")
            or name == "conftest.py"
            or bool({"test", "tests"} & set(parts))
        )

    def calls(self, *names: str) -> list[ast.Call]:
        """All calls whose last name is one of these."""
        found = [call for name in names for call in self.tree.calls.get(name, ())]
        return sorted(found, key=lambda call: (call.lineno, call.col_offset)) if len(names) > 1 else found

    def name_of(self, node: ast.expr) -> str:
        """The canonical name of something of another package, or empty."""
        ref = self.resolve(node)
        return ref.name if isinstance(ref, External) else ""

    def resolve(self, node: ast.expr, depth: int = DEPTH) -> Ref:
        """What a name or attribute refers to."""
        if node in self._refs:
            return self._refs[node]
        self._refs[node] = None  # a name that leads back to itself means nothing
        ref = self._resolve(node, depth) if depth > 0 else None
        self._refs[node] = ref
        return ref

    def member(self, name: str, depth: int = DEPTH) -> Ref:
        """What a name of this module's top level refers to."""
        bound = self.tree.top.names.get(name)
        if bound:
            return self.meaning(bound[-1], depth)
        for dotted, level in self.tree.stars:
            ref = self.project.imported(self, dotted, level, depth - 1)
            if isinstance(ref, Whole) and ref.module is not self and depth > 0:
                found = ref.module.member(name, depth - 1)
                if found is not None:
                    return found
        foreign = [dotted for dotted, level in self.tree.stars if not level and is_foreign(dotted)]
        if len(foreign) == 1 and not hasattr(builtins, name):
            return External(canonical(f"{foreign[0]}.{name}"))
        return None

    def meaning(self, binding: Binding, depth: int = DEPTH) -> Ref:
        """What a binding stands for: imports and plain renamings are followed."""
        if depth <= 0:
            return None
        if binding.how is Bound.IMPORTED:
            return self.project.imported(self, binding.dotted, binding.level, depth - 1)
        if binding.how is Bound.ASSIGNED and isinstance(binding.value, ast.Name | ast.Attribute):
            ref = self.resolve(binding.value, depth - 1)
            if ref is not None:
                return ref
        return Local(self, binding)

    def _resolve(self, node: ast.expr, depth: int) -> Ref:
        if isinstance(node, ast.Name):
            binding = self.tree.lookup(node.id, node)
            if binding is not None:
                return self.meaning(binding, depth)
            ref = self.member(node.id, depth)
            if ref is None and hasattr(builtins, node.id):
                return External(f"builtins.{node.id}")
            return ref
        if isinstance(node, ast.Attribute):
            own = self._own_attribute(node)
            return own if own is not None else self.attribute(self.resolve(node.value, depth - 1), node.attr, depth - 1)
        return None

    def attribute(self, ref: Ref, name: str, depth: int = DEPTH) -> Ref:
        """What an attribute of something refers to."""
        if isinstance(ref, External):
            return External(canonical(f"{ref.name}.{name}"))
        if isinstance(ref, Whole):
            found = ref.module.member(name, depth)
            return found if found is not None else self.project.submodule(ref.module, name)
        if isinstance(ref, Local) and depth > 0:
            owner = ref.module.class_behind(ref.binding, depth)
            return owner[0].class_member(owner[1], name, depth - 1) if owner is not None else None
        return None

    def class_behind(self, binding: Binding, depth: int = DEPTH) -> tuple[Module, ast.ClassDef] | None:
        """The project's class that a binding is, or an instance of."""
        if binding.how is Bound.CLASS and isinstance(binding.node, ast.ClassDef):
            return self, binding.node
        made = binding.value
        if binding.how is Bound.PARAMETER and binding.annotation is not None:
            ref = self.resolve(binding.annotation, depth - 1)
        elif isinstance(made, ast.Call):
            ref = self.resolve(made.func, depth - 1)
        else:
            return None
        if isinstance(ref, Local):
            if ref.binding.how is Bound.CLASS and isinstance(ref.binding.node, ast.ClassDef):
                return ref.module, ref.binding.node
            if ref.binding.how is Bound.FUNCTION and depth > 0:
                return ref.module.class_returned(ref.binding, depth - 1)
        return None

    def class_returned(self, binding: Binding, depth: int) -> tuple[Module, ast.ClassDef] | None:
        """The project's class of which a function returns an instance, such as ``get_settings()``."""
        for node in self.returns(binding.node):
            if isinstance(node.value, ast.Call):
                ref = self.resolve(node.value.func, depth - 1)
                if isinstance(ref, Local) and isinstance(ref.binding.node, ast.ClassDef):
                    return ref.module, ref.binding.node
        return None

    def returns(self, function: ast.AST) -> list[ast.Return | ast.Yield]:
        """What a function returns or yields, nested functions included."""
        known = self.memory.setdefault(("returns", function), None)
        if not isinstance(known, list):
            found = [node for node in ast.walk(function) if isinstance(node, ast.Return | ast.Yield)]
            known = self.memory["returns", function] = found
        return known

    def class_member(self, owner: ast.ClassDef, name: str, depth: int = DEPTH) -> Ref:
        """An attribute of a class or its instances, its bases included."""
        scope = self.tree.scopes.get(owner)
        if scope is None or depth <= 0:
            return None
        bound = scope.names.get(name) or scope.attributes.get(name)
        if bound:
            return self.meaning(bound[-1], depth)
        for base in owner.bases:
            ref = self.resolve(base, depth - 1)
            if isinstance(ref, Local) and isinstance(ref.binding.node, ast.ClassDef):
                found = ref.module.class_member(ref.binding.node, name, depth - 1)
                if found is not None:
                    return found
        return None

    def _own_attribute(self, node: ast.Attribute) -> Ref:
        """``self.name`` and ``cls.name`` inside a method."""
        if not isinstance(node.value, ast.Name):
            return None
        binding = self.tree.lookup(node.value.id, node.value)
        if binding is None or binding.how is not Bound.PARAMETER or binding.annotation is not None:
            return None
        owner = binding.scope.parent
        if owner is None or not isinstance(owner.node, ast.ClassDef):
            return None
        arguments = getattr(binding.scope.node, "args", None)
        first = (arguments.posonlyargs + arguments.args)[:1] if arguments is not None else []
        if not first or first[0] is not binding.node:
            return None
        return self.class_member(owner.node, node.attr)


class Project:
    """Everything that the linted files can import of their own.

    Args:
        roots: folders in which imports start, besides a file's own package and folder.
        sources: all Python files, for the hints; none are read beforehand.
    """

    def __init__(self, roots: Iterable[Path] = (), sources: Iterable[Path] = ()) -> None:
        self.roots = [root.resolve() for root in roots]
        self.sources = list(sources)
        self._modules: OrderedDict[Path, Module | None] = OrderedDict()
        self._found: dict[tuple[Path, str], Path | None] = {}
        self._imported: set[bytes] | None = None
        self._starts: dict[tuple[Path | None, int], list[Path]] = {}

    @cached_property
    def hints(self) -> Hints:
        """What the project's files say about its database in passing."""
        return gather(self.roots, self.sources)

    def mentions(self, pattern: re.Pattern[bytes], near: Path | None) -> bool:
        """Whether a text stands in any Python file of the project, those that aren't checked now included."""
        return any(pattern.search(raw) for raw in self._texts(near))

    def imports(self, name: str, near: Path | None) -> bool:
        """Whether any Python file of the project imports a module of this last name."""
        if self._imported is None:
            found = (match for raw in self._texts(near) for match in _IMPORT.finditer(raw))
            self._imported = {word for match in found for word in re.findall(rb"\w+", match[1])}
        return name.encode() in self._imported

    def _texts(self, near: Path | None) -> Iterator[bytes]:
        files = dict.fromkeys(self.sources)
        for root in [*self.roots, *([near.parent] if near is not None and not self.sources else [])]:
            files.update(dict.fromkeys(itertools.islice(_python_files(root), _MOST_FILES)))
        for file in files:
            with contextlib.suppress(OSError):
                yield file.read_bytes()

    def module(self, file: Path, shown: str = "") -> Module | None:
        """The module of a file; ``None`` where it can't be read or parsed."""
        if file in self._modules:
            self._modules.move_to_end(file)
        else:
            self.put(file, None)
            try:
                if file.stat().st_size <= MAX_BYTES:
                    source = decode(shown or str(file), file.read_bytes())
                    self.put(file, Module(self, source, file, parse(source)))
            except (OSError, Unreadable):
                pass
        return self._modules[file]

    def put(self, file: Path, module: Module | None) -> None:
        """Remember a module, and forget the one that was asked for longest ago where there are too many."""
        self._modules[file] = module
        self._modules.move_to_end(file)
        if len(self._modules) > _MOST_MODULES:
            self._modules.popitem(last=False)

    def imported(self, importer: Module, dotted: str, level: int, depth: int = DEPTH) -> Ref:
        """What an import means: a thing of another package, or of a module of this one."""
        if depth <= 0:
            return None
        if not level and is_foreign(dotted):
            return External(canonical(dotted))
        parts = dotted.split(".") if dotted else []
        for base in self._bases(importer, level):
            for taken in range(len(parts), -1 if level else 0, -1):
                file = self._locate(base, parts[:taken])
                module = self.module(file) if file is not None else None
                if module is None or (module is importer and taken == 0):
                    continue
                ref: Ref = Whole(module)
                for name in parts[taken:]:
                    ref = module.attribute(ref, name, depth - 1)
                return ref
        return None if level else External(canonical(dotted))

    def named(self, importer: Module, dotted: str) -> Module | None:
        """The module that a text such as ``"config.production"`` names."""
        ref = self.imported(importer, dotted, 0)
        return ref.module if isinstance(ref, Whole) else None

    def submodule(self, package: Module, name: str) -> Ref:
        """A module inside a package, which ``import package.name`` makes an attribute."""
        if package.file is None or package.file.name != "__init__.py":
            return None
        file = self._locate(package.file.parent, [name])
        module = self.module(file) if file is not None else None
        return Whole(module) if module is not None else None

    def _bases(self, importer: Module, level: int) -> list[Path]:
        key = (importer.file.parent if importer.file is not None else None, level)
        if key not in self._starts:
            self._starts[key] = self._find_bases(*key)
        return self._starts[key]

    def _find_bases(self, here: Path | None, level: int) -> list[Path]:
        if level:
            for _ in range(level - 1):
                here = here.parent if here is not None else None
            return [here] if here is not None else []
        bases = []
        if here is not None:
            top = here
            while (top / "__init__.py").is_file() and top != top.parent:
                top = top.parent
            bases = [top, here] if top != here else [here]
        more = [one for root in self.roots for one in (root, root / "src")]
        return [*bases, *(one for one in more if one not in bases)]

    def _locate(self, base: Path, parts: list[str]) -> Path | None:
        key = (base, ".".join(parts))
        if key not in self._found:
            folder = base.joinpath(*parts)
            package, plain = folder / "__init__.py", folder.with_name(f"{folder.name}.py")
            candidates = (package, plain) if parts else (package,)
            self._found[key] = next((one for one in candidates if one.is_file()), None)
        return self._found[key]


def _python_files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED and not name.startswith("."))
        yield from (Path(folder, file) for file in sorted(files) if file.endswith(".py"))
