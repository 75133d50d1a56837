"""Runs shipped cases with pytest, in this process, on a bench that is already up."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ...errors import BenchError, StationTimeout
from .. import catalogue
from ..report import CaseResult

if TYPE_CHECKING:
    from ..host import BenchHost

__all__ = ["run_cases"]

PLUGIN = "pilotbench.fixtures.plugin"
NAME = "pilotbench-run"


def run_cases(host: BenchHost, names: Sequence[str]) -> list[CaseResult]:
    """Run the named cases one after another; returns how each ended.

    A failed assertion is `failed`, a station that did not go on leaves it `incomplete`, an error of the
    bench or of a device is `error`.
    """
    folder = Path(catalogue.__file__).parent
    watcher = _Watcher(host)
    code = pytest.main(
        [
            *(str(folder / f"case_{name}.py") for name in names),
            *("-p", PLUGIN, "--disable-plugin-autoload", "-p", "no:terminal", "-p", "no:cacheprovider"),
            # Its own hook would swallow a stop signal that Python raises in a callback; `stop` asks again for that.
            *("-p", "no:unraisableexception", "-p", "no:threadexception"),
            *("-s", "-c", "/dev/null", "--rootdir", str(folder), "-W", "default"),
        ],
        plugins=[_Named(watcher)],
    )
    if not watcher.results:
        watcher.results.append(CaseResult("run", "error", f"pytest ran no case (its exit code is {int(code)})", 0.0))
    return watcher.results


class _Named:
    """Registers the watcher under the name by which the plugin's `bench` fixture finds it."""

    def __init__(self, watcher: _Watcher) -> None:
        self._watcher = watcher

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self._watcher, NAME)


class _Watcher:
    """Holds the running bench for the fixtures, and notes how each case ended."""

    def __init__(self, host: BenchHost) -> None:
        self.host = host
        self.results: list[CaseResult] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.host.phase("start", case=_case(nodeid))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo is not None and call.excinfo.errisinstance(KeyboardInterrupt):
            self.results.append(CaseResult(_case(item.nodeid), "interrupted", "stopped by a signal", call.duration))
        elif call.excinfo is not None:
            error = call.excinfo.value
            outcome = _outcome(error)
            text = str(error) if isinstance(error, (BenchError, AssertionError)) else f"{type(error).__name__}: {error}"
            self.results.append(CaseResult(_case(item.nodeid), outcome, f"{call.when}: {text}", call.duration))
        elif call.when == "call":
            self.results.append(CaseResult(_case(item.nodeid), "passed", "", call.duration))
        return report

    def pytest_keyboard_interrupt(self) -> None:
        if not any(result.outcome == "interrupted" for result in self.results):
            self.results.append(CaseResult("run", "interrupted", "stopped by a signal", 0.0))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.results.append(CaseResult(_case(report.nodeid), "error", f"collection: {report.longreprtext}", 0.0))


def _outcome(error: BaseException) -> str:
    """A station that does not go on leaves the case incomplete: what that means is for the rules to say."""
    if isinstance(error, StationTimeout):
        return "incomplete"
    return "failed" if isinstance(error, AssertionError) else "error"


def _case(nodeid: str) -> str:
    return nodeid.split("::")[0].rsplit("/", 1)[-1].removeprefix("case_").removesuffix(".py")
