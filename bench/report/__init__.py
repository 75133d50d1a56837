"""What a run leaves for people and for CI: its folder, verdicts.json, junit.xml, summary.txt."""

from __future__ import annotations

from .cases import CaseResult
from .junit import junit_xml
from .run_folder import RUN_FILES, create_run_folder
from .summary import last_line, measured_text, summary_lines, summary_text
from .verdicts_json import verdict_rows, verdicts_json
from .write import write_run

__all__ = [
    "RUN_FILES",
    "CaseResult",
    "create_run_folder",
    "junit_xml",
    "last_line",
    "measured_text",
    "summary_lines",
    "summary_text",
    "verdict_rows",
    "verdicts_json",
    "write_run",
]
