"""A package that is not installed gives one line that names it and the extra that brings it."""

import io
import json
import pickle

import pytest

from sunbreak.errors import InputError, MissingExtra
from sunbreak.events import JsonLines
from sunbreak.extras import is_installed, require


def missing(package="package_that_no_index_has", extra="evaluation", purpose="Comparing images") -> MissingExtra:
    with pytest.raises(InputError) as caught:
        require(package, extra, purpose)
    assert isinstance(caught.value, MissingExtra)
    return caught.value


def test_a_missing_package_gives_purpose_package_and_extra():
    error = missing()
    assert error.message == "Comparing images needs package_that_no_index_has, which is not installed."
    assert error.hint == "Install it: pip install 'sunbreak[evaluation]'."
    assert (error.code, error.extra, error.exit_status) == ("missing-extra", "evaluation", 2)


def test_a_missing_package_is_named_as_the_package_index_names_it(monkeypatch):
    monkeypatch.setattr("sunbreak.extras.find_spec", lambda name: None)
    assert "needs scikit-learn," in missing("sklearn").message


def test_an_installed_package_passes_without_an_import():
    require("antigravity", "evaluation", "Flying")  # importing it opens a browser
    assert is_installed("numpy") and not is_installed("package_that_no_index_has")


def test_the_error_travels_between_processes_with_its_extra():
    error = pickle.loads(pickle.dumps(missing()))
    assert (str(error), error.code, error.extra) == (str(missing()), "missing-extra", "evaluation")


def test_the_error_event_names_the_extra():
    stream = io.StringIO()
    reporter = JsonLines(stream)
    reporter.error(missing())
    reporter.error(InputError("a.tif: wrong."))
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first["extra"] == "evaluation" and "extra" not in second
