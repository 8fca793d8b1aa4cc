"""A server of catalogues for tests and for trying things out; see `CatalogueServer`."""

from .server import CatalogueServer as CatalogueServer
