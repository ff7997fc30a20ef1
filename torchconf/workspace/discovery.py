"""From the paths on the command line to what has to be checked together."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.catalog import load_catalog
from torchconf.edits.read_toml import read_toml
from torchconf.errors import ProjectError, TorchconfError
from torchconf.files import spoken_path
from torchconf.files.reading import PYTHON, refuse_old_file
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.read_project import read_project
from torchconf.rules.engine import CheckedFile, Unit
from torchconf.workspace.members import member_folders
from torchconf.workspace.opened import LOCKFILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torchconf.model.project import Project
    from torchconf.model.targets import Platform
    from torchconf.rules.rule_selection import RuleSelection

__all__ = ["Gathered", "Gatherer", "Look"]


class Gathered(NamedTuple):
    """A unit, and the files behind its documents, by name. Standard input has none."""

    unit: Unit
    files: dict[str, files.SourceFile]


class Look(NamedTuple):
    """What was gathered for one check."""

    gatherer: Gatherer
    units: Sequence[Gathered]


class Gatherer:
    """Reads each file once, however many projects need it.

    Attributes:
        errors: What could not be read; the rest is gathered all the same.
        mark: What standard input begins with, before its text: a byte order mark, or nothing.
        outside: Files that are elsewhere than where they were found, and that nobody named.
    """

    def __init__(
        self, selection: RuleSelection, targets: Iterable[Platform], *, writes: bool = False
    ) -> None:
        """Take what all units have in common.

        Args:
            selection: The rules that are asked for.
            targets: The platforms.
            writes: Whether files will be changed: only those that are where the user said.
        """
        self.errors: list[TorchconfError] = []
        self.mark = ""
        self._marked: set[str] = set()
        self.outside: list[str] = []
        self._writes = writes
        self._sweeps = True
        self._catalog = load_catalog()
        self._selection = selection
        self._targets = tuple(targets)
        self._files: dict[str, files.SourceFile] = {}
        self._roots: dict[str, str | None] = {}
        self._members: dict[str, tuple[str, ...]] = {}

    def gather(self, paths: Sequence[str]) -> Iterator[Gathered]:
        """Yield a unit for each workspace, project or script that the paths name.

        Args:
            paths: Files and folders, as they were typed.
        """
        wanted: dict[str, dict[str, None]] = {}
        for path in self._expand(paths):
            try:
                if not _is_project(path):
                    yield self._script(path)
                    continue
                root = self._root_of(os.path.abspath(path))
                wanted.setdefault(root, {})[os.path.abspath(path)] = None
            except TorchconfError as error:
                self.errors.append(error)
        for root, asked in wanted.items():
            try:
                yield self._unit(root, tuple(asked))
            except TorchconfError as error:
                self.errors.append(error)

    def without_other_python(self, paths: Sequence[str]) -> Iterator[str]:
        """Yield the paths, less the Python files that a folder would not stand for either."""
        for path in paths:
            try:
                if _is_project(path) or self._has_block(files.read_file(path).raw or b""):
                    yield path
            except TorchconfError:
                yield path  # whoever reads it says why not

    def projects(self, folder: str) -> tuple[str, ...]:
        """Return the files that say what is installed, in and below a folder, by path.

        A project, a workspace root or a script. A member is no file of its own where its root is in
        the folder, too. A folder without any has none.
        """
        # Imported here: only whole trees are walked.
        from torchconf.files.walking import find_projects

        found: dict[str, None] = {}
        for path in find_projects(folder, self._has_block):
            if not _is_project(path):
                found[path] = None
                continue
            try:
                root = self._root_of(os.path.abspath(path))
            except TorchconfError:
                root = path  # whoever reads the file says what is wrong
            within = os.path.join(os.path.abspath(folder), "")
            found[root if root.startswith(within) else path] = None
        return tuple(found)

    def project(self, path: str) -> Gathered:
        """Return the unit of one project, the members of its workspace included."""
        path = os.path.abspath(path)
        root = self._root_of(path)
        if path != root:
            return self._unit(root, (path,))
        return self._unit(
            root, (path, *self._inside(self._members_of(root), os.path.dirname(root)))
        )

    def member_bases(self, path: str) -> Iterator[str]:
        """Yield the folders where members of a workspace may be added: that of `packages/*`.

        Args:
            path: Of the workspace root, of a project that is none, or of a script.
        """
        if _is_project(path) and "workspace" in self._read(path).text:
            for pattern in self._view(path).workspace_members:
                base = pattern.split("*")[0].rpartition("/")[0]
                yield os.path.normpath(os.path.join(os.path.dirname(path), base))

    def standard_input(self, file: files.SourceFile, name: str | None) -> Gathered:
        """Return the unit of a text that was piped in, in the place of a file.

        Args:
            file: A pyproject.toml, or a script if its name says so.
            name: Of the file that it stands for; its workspace is read from there.
        """
        text, self.mark = file.text, files.BYTE_ORDER_MARK if file.bom else ""
        if name is not None and not _is_project(name):
            return self._of(CheckedFile(name, text, is_script=True), {})
        if name is None:
            return self._of(CheckedFile("<stdin>", text), {})
        path = os.path.abspath(name)
        # The text takes the place of the file, whatever is in that.
        self._files[path] = files.SourceFile(path, path, text.encode())
        gathered = self._unit(self._root_of(path), (path,))
        return Gathered(gathered.unit, {})

    def unsaved(self, path: str, text: str) -> Gathered:
        """Return the unit of one file with the text that an editor has of it.

        What surrounds it is read from the disk; the file itself need not be there.

        Raises:
            ProjectError: What surrounds it cannot be read, or the script has no block.
        """
        path = os.path.abspath(path)
        # Whoever only looks, at each keystroke, does not tidy up.
        self._sweeps = False
        self._files[path] = files.SourceFile(path, path, text.encode("utf-8", "surrogatepass"))
        return self._unit(self._root_of(path), (path,)) if _is_project(path) else self._script(path)

    def _expand(self, paths: Sequence[str]) -> Iterator[str]:
        for path in paths:
            try:
                if os.path.isdir(path):
                    # Imported here: one file alone needs no walk.
                    from torchconf.files.old_names import hint_to_migrate
                    from torchconf.files.walking import find_projects

                    found = [*find_projects(path, self._has_block)]
                    if not found:
                        message = f"no `{files.NAME}` in this folder or below it"
                        help_ = hint_to_migrate(path) or "pass a file or another folder"
                        raise ProjectError(message, at=path, help=help_)
                    yield from self._inside(found, path)
                else:
                    if os.path.basename(path) != files.NAME:
                        refuse_old_file(path)
                    yield path
            except TorchconfError as error:
                self.errors.append(error)

    def _inside(self, paths: Sequence[str], folder: str) -> Sequence[str]:
        """Leave out what is outside of a folder, if files will be changed: links may lead there."""
        if not self._writes:
            return paths
        top = os.path.join(os.path.realpath(folder), "")
        outside = [path for path in paths if not os.path.realpath(path).startswith(top)]
        self.outside += map(spoken_path, outside)
        return [path for path in paths if path not in outside]

    def _has_block(self, content: bytes) -> bool:
        """Tell whether a file has a block that uv reads, with something of PyTorch in it.

        A file that nobody named and that cannot be read is none: it may be there for tests.
        """
        if b"# /// script" not in content:
            return False
        # Imported here: most trees have no scripts.
        from torchconf.model.scripts import find_block

        try:
            file = files.SourceFile("", "", content)
            block = find_block(file.text, "", bom=file.bom)
        except ProjectError:
            return False
        return block is not None and any(name in block.toml for name in self._catalog.family)

    # Reading.

    def _read(self, path: str) -> files.SourceFile:
        if path not in self._files:
            if self._sweeps:
                files.sweep(os.path.dirname(path))
            file = self._files[path] = files.read_file(path)
            if file.bom:
                self._marked.add(spoken_path(path))
        return self._files[path]

    def mark_of(self, name: str) -> str:
        """Return what a document begins with before its text, as `mark` says it of one."""
        return files.BYTE_ORDER_MARK if name in self._marked else self.mark

    def _script(self, path: str) -> Gathered:
        # Imported here: most paths are no scripts.
        from torchconf.model.scripts import as_project, find_block

        path = os.path.abspath(path)
        file, name = self._read(path), spoken_path(path)
        block = find_block(file.text, name, bom=file.bom)
        if block is None:
            raise ProjectError(
                "no `# /// script` block in this file",
                at=name,
                help=f"name a `{files.NAME}` or a script with metadata",
            )
        document = CheckedFile(name, file.text, is_script=True)
        libraries: dict[str, Project | None] = {}
        if "path" in block.toml or "file:" in block.toml:
            from torchconf.workspace.libraries import read_libraries

            data = as_project(read_toml(block.padded, name))
            libraries = read_libraries([read_project(data, at=name, problems=[], is_script=True)])
        lockfile = files.read_if_there(f"{path}.lock")
        return self._of(document, {name: file}, lockfile, libraries)

    def _of(
        self,
        document: CheckedFile,
        known: dict[str, files.SourceFile],
        lockfile: str = "",
        libraries: dict[str, Project | None] | None = None,
    ) -> Gathered:
        unit = Unit(
            document,
            libraries=libraries,
            lockfile=lockfile,
            catalog=self._catalog,
            targets=self._targets,
            selection=self._selection,
        )
        return Gathered(unit, known)

    def _root_of(self, path: str) -> str:
        """Return the file of the workspace root that takes a project as a member, or its own."""
        folder = os.path.dirname(path)
        root = self._nearest_root(os.path.dirname(folder))
        return root if root is not None and path in self._members_of(root) else path

    def _nearest_root(self, folder: str) -> str | None:
        """Return the nearest file above with a `[tool.uv.workspace]` table."""
        on_the_way = []
        found = None
        while folder not in self._roots:
            on_the_way.append(folder)
            candidate = os.path.join(folder, files.NAME)
            if os.path.isfile(candidate) and "workspace" in self._read(candidate).text:
                found = candidate if self._view(candidate).is_workspace_root else None
            above = os.path.dirname(folder)
            if found is not None or above == folder:
                break
            folder = above
        else:
            found = self._roots[folder]
        self._roots.update(dict.fromkeys(on_the_way, found))
        return found

    def _view(self, path: str, root: Project | None = None) -> Project:
        name = spoken_path(path)
        data = read_toml(self._read(path).text, name)
        return read_project(data, root=root, at=name, problems=[])

    def _members_of(self, root: str) -> tuple[str, ...]:
        if root not in self._members:
            found: tuple[str, ...] = ()
            if "workspace" in self._read(root).text:
                folders = member_folders(self._view(root), os.path.dirname(root))
                files_ = (os.path.join(folder, files.NAME) for folder in folders)
                found = tuple(path for path in files_ if path != root)
            self._members[root] = found
        return self._members[root]

    def _unit(self, root: str, asked: Sequence[str]) -> Gathered:
        paths = (root, *self._members_of(root))
        read = {spoken_path(path): self._read(path) for path in paths}
        first, *members = (
            CheckedFile(name, file.text, is_reported=path in asked)
            for path, (name, file) in zip(paths, read.items(), strict=True)
        )
        unit = Unit(
            first,
            members,
            libraries=self._libraries(paths)
            if any("path" in d.text or "file:" in d.text for d in (first, *members))
            else {},
            lockfile=files.read_if_there(os.path.join(os.path.dirname(root), LOCKFILE)),
            catalog=self._catalog,
            targets=self._targets,
            selection=self._selection,
        )
        return Gathered(unit, read)

    def _libraries(self, paths: Sequence[str]) -> dict[str, Project | None]:
        """Read the local libraries that the projects of a workspace reach."""
        from torchconf.workspace.libraries import read_libraries

        root, *members = paths
        whole = self._view(root)
        return read_libraries([whole, *(self._view(path, whole) for path in members)])


def _is_project(path: str) -> bool:
    return not path.endswith(PYTHON)


def read_standard_input() -> files.SourceFile:
    """Return what is piped in.

    Raises:
        ProjectError: It is not UTF-8.
    """
    return files.SourceFile("<stdin>", "<stdin>", sys.stdin.buffer.read())
