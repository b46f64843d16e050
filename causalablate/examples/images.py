"""Images of a directory: files in it, or members of the zip archives in it, read without unpacking."""

import io
import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from causalablate.errors import ExampleError


class Images:
    """Reads images by name and keeps them: examples about one image share its array. Use it in a `with` block."""

    def __init__(self, root: Path):
        self._root = root
        self._read: dict[str, np.ndarray] = {}
        self._open = ExitStack()
        self._members: dict[str, zipfile.ZipFile] | None = None

    def __enter__(self) -> "Images":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def read(self, where: str, names: tuple[str, ...]) -> np.ndarray:
        """The first image that exists among `names`, uint8, shape (height, width, 3).

        Args:
            where: Who asks for it, for messages.
            names: File names relative to the directory, or names of members of an archive in it.
        Raises:
            ExampleError: None exists, or it cannot be decoded.
        """
        if names[0] not in self._read:
            self._read[names[0]] = _decoded(where, *self._bytes(where, names))
        return self._read[names[0]]

    def _bytes(self, where: str, names: tuple[str, ...]) -> tuple[str, bytes]:
        for name in names:
            file = self._root / name
            if file.is_file():
                return str(file), file.read_bytes()
        for name in names:
            if name in self._archived():
                archive = self._archived()[name]
                try:
                    return f"{archive.filename}:{name}", archive.read(name)
                except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
                    raise ExampleError(f'{where}: "{name}" cannot be read from "{archive.filename}" ({error}).') from (
                        error
                    )
        archives = f" and in none of its {n} zip archives" if (n := len(self._archives())) else ""
        raise ExampleError(
            f'{where}: no file "{self._root / names[0]}"{archives}; image names are relative to {self._root}, '
            "or as in an archive there."
        )

    def _archives(self) -> list[Path]:
        return sorted(self._root.glob("*.zip"))

    def _archived(self) -> dict[str, zipfile.ZipFile]:
        if self._members is None:
            self._members = {}
            for path in self._archives():
                try:
                    archive = self._open.enter_context(zipfile.ZipFile(path))
                except (zipfile.BadZipFile, OSError) as error:
                    raise ExampleError(f'"{path}" is not a readable zip archive ({error}); copy it again.') from error
                self._members |= dict.fromkeys(archive.namelist(), archive)
        return self._members


def _decoded(where: str, name: str, content: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ExampleError(f'{where}: "{name}" is not a readable image ({error}); use PNG or JPEG.') from error
