"""A cluster that several tests use, and scenes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dask_cluster import DaskCluster, dask_cluster
from threadpoolctl import threadpool_limits

from sunbreak.batches.manifest import BatchScene
from sunbreak.scene import S2_BANDS


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """This process multiplies with two threads and each worker with one, so that equal bytes do not come from equal threads."""
    with threadpool_limits(2, user_api="blas"):
        yield


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A real scheduler and two worker processes over loopback."""
    base = tmp_path_factory.getbasetemp()
    own = {"SUNBREAK_MODELS": str(base / "user-models"), "SUNBREAK_CACHE": str(base / "cache")}
    with dask_cluster(tmp_path_factory.mktemp("cluster"), 2, **own) as found:
        yield found


@pytest.fixture
def scenes(write_raster, cloudy_dn, radar_db) -> Callable[..., list[BatchScene]]:
    """Scenes with a cloud each, their radar and their masks."""

    def make(count: int, rows: int = 70, columns: int = 90, start: str = "a") -> list[BatchScene]:
        found = []
        for number in range(count):
            name = f"{start}{number}"
            cloud = slice(5, rows - 15), slice(10 + number, 60)
            s2 = write_raster(f"in/{name}.tif", cloudy_dn(rows, columns, cloud, number), bands=S2_BANDS)
            s1 = write_raster(f"in/{name}_s1.tif", radar_db(rows, columns, number), bands=("VV", "VH"))
            found.append(BatchScene(name, (s2,), (s1,)))
        return found

    return make
