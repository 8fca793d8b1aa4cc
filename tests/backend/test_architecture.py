"""Packages import in one direction, no modules import each other in a circle, and the plugin stands on QGIS alone."""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BACKEND = CHECKOUT / "backend"
# each level imports from the levels below it only
LEVELS = (
    ("__main__",),
    ("cli", "api"),
    ("studies",),
    ("training", "batches", "diagnostics"),
    ("evaluation",),
    ("jobs",),
    ("removal", "landcover", "catalogue", "cluster"),
    ("clouds",),
    ("engine", "datasets"),
    ("scene", "layers", "models", "metrics", "tiling"),
    ("sources",),
    ("array_files", "json_files", "parquet_files"),
    ("events", "privacy", "resources", "regular_files"),
    ("drafts", "outputs", "tables", "extras"),
    ("errors", "defaults", "processes", "texts", "unfinished"),
    ("",),  # the version
)
RANK = {package: rank for rank, level in enumerate(LEVELS) for package in level}
# a layer lies on the grid of its scene
EXCEPTIONS = {("layers", "sunbreak.scene.grid")}
# the one place where GDAL opens rasters for reading
READERS = {"sunbreak.sources.gdal"}


def name_of(path: Path) -> str:
    parts = path.relative_to(BACKEND).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


MODULES = {name_of(path): path for path in sorted((BACKEND / "sunbreak").rglob("*.py"))}


def imports(path: Path) -> Iterator[str]:
    """All that a file imports, inside functions and for type checking too; `from a import b` as a.b if that is a module.

    The package itself is the exception: what it imports for type checking only is the Python interface.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path == BACKEND / "sunbreak" / "__init__.py":
        tree.body = [
            one for one in tree.body if not (isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING")
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield "." * node.level + (module if module in MODULES else node.module or "")


IMPORTS = {module: {name for name in imports(path) if name in MODULES} for module, path in MODULES.items()}


def test_the_package_itself_imports_only_the_standard_library():
    assert {name.split(".")[0] for name in imports(MODULES["sunbreak"])} <= sys.stdlib_module_names


def test_every_package_has_a_level():
    assert {package_of(module) for module in MODULES} == set(RANK)


def test_every_import_of_the_package_names_a_module():
    named = {
        (module, name)
        for module, path in MODULES.items()
        for name in imports(path)
        if name.startswith(("sunbreak", "."))
    }
    assert {name for _, name in named} <= set(MODULES)


def test_no_package_imports_upward_or_sideways():
    wrong = [
        f"{module} imports {name}"
        for module, names in IMPORTS.items()
        for name in sorted(names)
        if package_of(module) != package_of(name)
        and RANK[package_of(module)] >= RANK[package_of(name)]
        and (package_of(module), name) not in EXCEPTIONS
    ]
    assert not wrong


def opens_for_reading(node: ast.AST) -> bool:
    """Whether a call is `rasterio.open` without a mode for writing."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != "rasterio.open":
        return False
    mode = (
        node.args[1] if len(node.args) > 1 else next((word.value for word in node.keywords if word.arg == "mode"), None)
    )
    return not (isinstance(mode, ast.Constant) and str(mode.value).startswith("w"))


def test_rasters_are_opened_for_reading_by_sources_only():
    found = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if opens_for_reading(node)
    }
    assert found == READERS


WRITERS = {
    "sunbreak.drafts": "the module that writes drafts and opens what is stored",
    "sunbreak.layers.publish": "reads a folder, to flush the new names in it",
    "sunbreak.cli.ending": "the null device",
    "sunbreak.regular_files": "opens for reading, by a descriptor that it can check first",
}
# what writes into a path that it is given: a draft, or a folder that only this user can open
INTO_DRAFTS = {
    "sunbreak.api.arrays": "a temporary folder",
    "sunbreak.catalogue.fetched_files": "a draft",
    "sunbreak.datasets.bigearthnet.writing": "a draft folder",
    "sunbreak.datasets.simulation.files": "a draft",
    "sunbreak.datasets.simulation.sen12ms": "a draft",
    "sunbreak.diagnostics.self_test": "a temporary folder",
    "sunbreak.engine.compiled_networks": "a draft folder",
    "sunbreak.engine.network_cache": "a draft folder",
    "sunbreak.evaluation.comparison": "the folder of unfinished layers",
    "sunbreak.evaluation.data_sets": "a temporary folder",
    "sunbreak.evaluation.cloud_folders": "a draft",
    "sunbreak.evaluation.folders": "a draft",
    "sunbreak.evaluation.patch_table": "a draft",
    "sunbreak.landcover.explanation": "the folder of unfinished layers",
    "sunbreak.layers.html": "the folder of unfinished layers",
    "sunbreak.layers.stac": "the folder of unfinished layers",
    "sunbreak.layers.style": "the folder of unfinished layers",
    "sunbreak.studies.downstream.cleaning": "a draft",
    "sunbreak.studies.downstream.report_pages": "a draft folder",
    "sunbreak.studies.downstream.results_csv": "a draft folder",
    "sunbreak.studies.downstream.store": "a draft",
    "sunbreak.studies.downstream.table_files": "a draft",
    "sunbreak.studies.unpaired.unpaired_report": "a draft folder",
    "sunbreak.training.classifier.labelled_patches": "a draft",
    "sunbreak.training.removal.progress": "a draft",
    "sunbreak.training.removal.samples": "a draft",
    "sunbreak.training.removal.stored_samples": "a draft",
}


def opens_for_writing(node: ast.AST) -> bool:
    """Whether a call opens a file for writing by its path, or writes it whole."""
    if not isinstance(node, ast.Call):
        return False
    function = ast.unparse(node.func)
    name = function.rpartition(".")[2]
    if function == "os.open" or (
        name in ("write_text", "write_bytes") and not function.startswith(("drafts.", "write"))
    ):
        return True
    if name != "open":
        return False
    given = [*node.args, *(word.value for word in node.keywords if word.arg == "mode")]
    modes = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return any(len(mode) < 4 and set(mode) & set("wax+") for mode in modes)


def test_files_are_opened_for_writing_in_one_module_only():
    found = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if opens_for_writing(node)
    }
    assert found == {*WRITERS, *INTO_DRAFTS}


def test_tables_are_written_by_one_module_only():
    found = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("csv.writer", "csv.DictWriter")
    }
    assert found == {"sunbreak.tables"}


def test_temporary_folders_are_made_where_they_are_removed_by_force_too():
    found = {module for module, path in MODULES.items() if "tempfile" in set(imports(path))}
    # the Python interface has no session that ends the process, and the probes of a disk and a folder have no name
    assert found == {
        "sunbreak.drafts",
        "sunbreak.api.arrays",
        "sunbreak.api.measures",
        "sunbreak.api.opening",
        "sunbreak.diagnostics.checks",  # names the folder only
        "sunbreak.layers.target",
        "sunbreak.outputs",
    }


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("gdal", []),
        ("osgeo", []),
        ("fiona", []),
        ("rasterio.merge", []),
        ("rasterio.rio", []),
        # a finished layer is handed to the caller as an xarray, read under the settings of sources
        ("rioxarray", ["sunbreak.jobs.result"]),
        # the layer that the run itself is writing
        ("rasterio.shutil", ["sunbreak.layers.cog"]),
    ],
)
def test_no_other_library_opens_rasters(name, allowed):
    found = [
        module for module, path in MODULES.items() if any(f"{one}.".startswith(f"{name}.") for one in imports(path))
    ]
    assert found == allowed


def test_nothing_that_rasterio_offers_beside_open_takes_a_path():
    # these open paths too: in-memory and zipped files, and readers that are made without `rasterio.open`
    names = {"MemoryFile", "ZipMemoryFile", "DatasetReaderBase", "DatasetWriter", "get_writer_for_path"}
    found = {
        (module, node.id if isinstance(node, ast.Name) else node.attr)
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) in names
    }
    assert not found


def test_requests_are_made_by_one_package_only():
    connecting = {"requests", "urllib3", "urllib.request", "http.client", "httpx", "aiohttp", "fsspec"}
    found = {
        module
        for module, path in MODULES.items()
        if any(f"{name}.".startswith(f"{one}.") for name in imports(path) for one in connecting)
    }
    assert found == {
        "sunbreak.sources.remote.client",
        "sunbreak.sources.remote.transport",
        "sunbreak.diagnostics.checks",  # reads which proxy the environment names
    }


def test_sources_know_no_scenes():
    found = {package_of(name) for module, names in IMPORTS.items() if package_of(module) == "sources" for name in names}
    assert found <= {"errors", "events", "drafts", "regular_files", "sources", ""}


@pytest.mark.parametrize(
    ("package", "others"),
    [
        ("models", {"errors", "extras", "drafts", "json_files", "regular_files", "resources", "models", ""}),
        ("metrics", {"errors", "extras", "metrics"}),
        ("tiling", {"errors", "tiling"}),
    ],
)
def test_networks_metrics_and_tiling_know_no_rasters_and_no_tasks(package, others):
    found = {package_of(name) for module, names in IMPORTS.items() if package_of(module) == package for name in names}
    assert found <= others


def test_trainings_share_nothing_but_what_lies_beside_them():
    def part(module: str) -> str:
        return ".".join(module.split(".")[:3])

    found = {(part(module), part(name)) for module, names in IMPORTS.items() for name in names}
    parts = {f"sunbreak.training.{name}" for name in ("removal", "classifier", "unpaired")}
    between = {pair for pair in found if pair[0] != pair[1] and set(pair) <= parts}
    # the translation is judged by a classifier that is trained with it
    assert between == {("sunbreak.training.unpaired", "sunbreak.training.classifier")}


def test_no_modules_import_each_other_in_a_circle():
    try:
        order = list(TopologicalSorter(IMPORTS).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert len(order) == len(MODULES)


def test_the_plugin_imports_qgis_the_standard_library_and_itself_only():
    # `processing` is a part of QGIS
    allowed = {"qgis", "processing", *sys.stdlib_module_names}
    files = [CHECKOUT / "__init__.py", *sorted((CHECKOUT / "plugin").rglob("*.py"))]
    wrong = [
        f"{path.relative_to(CHECKOUT)} imports {name}"
        for path in files
        for name in imports(path)
        if not name.startswith(".") and name.split(".")[0] not in allowed
    ]
    assert len(files) > 40 and not wrong
